"""Where `winback once` spends its time, stage by stage, and what memory it holds afterwards.

.venv/bin/python bench/stages.py [--mails 2000]
"""

from __future__ import annotations

import argparse
import logging
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # read when numpy is loaded
HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "tests"), str(HERE)]

from boxes import mailbox
from peak import children, resident_megabytes
from run import PASSWORD, USER, site
from servers import make_authority
from servers.dovecot import Dovecot
from warm import warm

from pipeline import app, jobs
from pipeline.config import Config, load
from pipeline.daemon import only_instance
from pipeline.site import Site

STAGES: tuple[tuple[str, Callable[[Site], int]], ...] = (("poll", jobs.poll), ("work", jobs.work), ("publish", jobs.publish))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--mails", type=int, default=2000)
    mails = options.parse_args().mails
    os.environ["BENCH_PASSWORD"] = PASSWORD
    logging.disable(logging.INFO)
    with tempfile.TemporaryDirectory(prefix="winback-bench-") as folder, Dovecot(make_authority(Path(folder))) as server:
        config = load(site(server, Path(folder)))
        # What this needs is not the memory of a daemon that starts on a site which has been there before.
        filling = get_context("fork").Process(target=_prepare, args=(server, mails, config))
        filling.start()
        filling.join()
        with only_instance(app.lock_path(config)), app.build(config) as ready:
            warm(ready)
            print("\n| stage | ms a mail | CPU of the daemon | CPU of its children |\n|---|---|---|---|")
            for name, job in STAGES:
                spent = [1000 * each / mails for each in _spent(lambda job=job: job(ready))]
                print(f"| {name} | {spent[0]:.2f} | {spent[1]:.2f} | {spent[2]:.2f} |")
            print(f"\n{resident_megabytes():.0f} MB resident with its children")


def _prepare(server: Dovecot, mails: int, config: Config) -> None:
    app.open_site_store(config, datetime.now(UTC)).close()
    for data in mailbox(mails):
        server.deliver(USER, data)


def _spent(work: Callable[[], object]) -> tuple[float, float, float]:
    """Seconds on the wall, of this process, and of its children."""
    wall, own, theirs = time.perf_counter(), _own_cpu(), _cpu_of_children()
    work()
    return time.perf_counter() - wall, _own_cpu() - own, _cpu_of_children() - theirs


def _own_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _cpu_of_children() -> float:
    ticks = 0
    for pid in children():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
