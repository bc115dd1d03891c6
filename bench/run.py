"""Measure `winback once` beside a naive script and a plain fetch: same mailbox, same run, one after the other, in rounds.

make bench                        2,000 mails, 5 rounds
.venv/bin/python bench/run.py --mails 500 --rounds 3
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path[:0] = [str(ROOT / "tests"), str(HERE)]

from boxes import mailbox
from servers import make_authority
from servers.dovecot import Dovecot

USER, PASSWORD = "dana@bluedoor.example", Dovecot.password


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--mails", type=int, default=2000)
    options.add_argument("--rounds", type=int, default=5)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="winback-bench-") as folder, Dovecot(make_authority(Path(folder))) as server:
        size = 0
        for data in mailbox(asked.mails):
            server.deliver(USER, data)
            size += len(data)
        mean = size / asked.mails / 1e3
        print(f"{asked.mails} mails, {size / 1e6:.0f} MB, mean {mean:.0f} kB, {os.cpu_count()} cores, {asked.rounds} rounds\n")
        rounds = [one_round(server, Path(folder), number) for number in range(asked.rounds)]
    report(rounds)


def one_round(server: Dovecot, folder: Path, number: int) -> dict[str, dict[str, float]]:
    work = folder / str(number)
    work.mkdir()
    login = [str(server.port), USER, PASSWORD]
    round_ = {
        "winback once": run("ours.py", str(site(server, work))),
        "naive script": run("naive.py", *login, str(ROOT / "models" / "corpus"), str(work / "naive")),
        "plain fetch": run("fetch.py", *login),
    }
    shutil.rmtree(work)
    print(
        f"round {number + 1}: " + ", ".join(f"{name} {got['mails'] / got['seconds']:.0f}/s" for name, got in round_.items()),
        flush=True,
    )
    return round_


def site(server: Dovecot, work: Path) -> Path:
    text = (ROOT / "config.yaml").read_text(encoding="utf-8")
    user = USER.replace("@", "%40")
    text = text.replace(
        "url: maildir:inbox", f"url: imap://{user}@127.0.0.1:{server.port}/INBOX\n  password: {{env: BENCH_PASSWORD}}"
    )
    text = text.replace("start: new ", "start: all ").replace("folder: templates", f"folder: {ROOT / 'templates'}")
    path = work / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def run(script: str, *arguments: str) -> dict[str, float]:
    environment = {**os.environ, "BENCH_PASSWORD": PASSWORD, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, str(HERE / script), *arguments], capture_output=True, text=True, env=environment)
    if done.returncode:
        sys.exit(f"{script} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def report(rounds: list[dict[str, dict[str, float]]]) -> None:
    print("\n| | mails/s (median) | times the naive script (median of the rounds) | peak MB |\n|---|---|---|---|")
    for name in rounds[0]:
        rate = statistics.median(each[name]["mails"] / each[name]["seconds"] for each in rounds)
        ratio = statistics.median(each["naive script"]["seconds"] / each[name]["seconds"] for each in rounds)
        peak = statistics.median(each[name]["megabytes"] for each in rounds)
        print(f"| {name} | {rate:.0f} | {ratio:.1f} | {peak:.0f} |")
    print(
        f"\nwinback wrote {rounds[0]['winback once']['drafts']} drafts; the naive script {rounds[0]['naive script']['drafts']}"
    )


if __name__ == "__main__":
    main()
