"""The file of a draft is there whole or not at all, and on the disk before its row says that it is published."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes import ROOT
from figures import Figures

from pipeline import jobs
from reliability.crash import Wrecks
from reliability.cycle import Customer, mails_of
from reliability.world import Outside, Points, copied, fresh, live, opened, quick_folder, start

DRAFTS = 10
PIECES = 16

# One publish of the product, in a process that does nothing else.
PUBLISH = """
import sys
from pathlib import Path
from reliability.world import Outside, opened
from pipeline import jobs
folder = Path(sys.argv[1])
with opened(folder, Outside(folder / "outside")) as site:
    print(jobs.publish(site))
"""


@pytest.fixture
def waiting() -> Iterator[Path]:
    """A site where ten drafts wait to be published."""
    with quick_folder() as folder:
        fresh(folder / "site")
        outside = Outside(folder / "site" / "outside")
        customers = [Customer(f"c{letter}", trusted=False) for letter in "abcdefghij"]
        with opened(folder / "site", outside) as site:
            mails_of(customers)(outside, folder / "site")
            jobs.poll(site)
            jobs.work(site)
        yield folder / "site"


def traced(folder: Path) -> list[str]:
    """The system calls of one publish that matter, in order, with the paths of their descriptors."""
    log = folder / "strace"
    calls = "openat,write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,ftruncate"
    command = ["strace", "-f", "-y", "-o", str(log), "-e", f"trace={calls}", sys.executable, "-c", PUBLISH, str(folder)]
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    if "ptrace" in done.stderr:
        pytest.skip(f"strace may not trace here: {done.stderr.strip()}")
    assert done.stdout.strip() == str(DRAFTS), done.stderr
    return log.read_text(encoding="utf-8").splitlines()


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed: apt-get install strace")
def test_a_draft_is_synced_then_named_then_its_folder_synced_then_its_row_committed(waiting: Path):
    lines = traced(waiting)
    seen = 0
    for at, line in enumerate(lines):
        named = re.search(r'rename\w*\(.*"(\.[0-9a-f]+\.part)".*"([^"]+\.eml)"', line)
        if not named:
            continue
        seen += 1
        part = re.escape(named[1])
        made = max(i for i in range(at) if re.search(rf'openat\(.*"{part}".*O_CREAT\|O_EXCL', lines[i]))
        wrote = [i for i in range(made, at) if re.search(rf"write\(\d+<[^>]*/{part}>", lines[i])]
        synced = [i for i in range(made, at) if re.search(rf"fsync\(\d+<[^>]*/{part}>", lines[i])]
        assert wrote and synced and max(wrote) < min(synced)
        folder = next(i for i in range(at, len(lines)) if re.search(r"fsync\(\d+<[^>]*/outbox/review>", lines[i]))
        row = next(i for i in range(at, len(lines)) if re.search(r"(?:pwrite64|write)\(\d+<[^>]*/winback\.db", lines[i]))
        assert at < folder < row
    assert seen == DRAFTS


def publishing(folder: Path) -> Callable[[Points], None]:
    def task(points: Points) -> None:
        with opened(folder, Outside(folder / "outside", points=points)) as site:
            jobs.publish(site)

    return task


def files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (folder / "outbox" / "review").iterdir()}


@pytest.mark.slow
def test_a_kill_anywhere_in_it_leaves_no_half_draft(waiting: Path, figures: Figures):
    with quick_folder() as quick:
        site = copied(waiting, quick / "site")
        wrecks = Wrecks(site, quick / "wrecks")
        wrecks.folder.mkdir()
        points = start(publishing(site), Points(pieces=PIECES, each=wrecks)).end().names
        whole = files(site)
        for wreck in dict.fromkeys(wrecks.list()):
            copied(wreck, site)
            left = files(site)
            assert {name: data for name, data in left.items() if not name.startswith(".")}.items() <= whole.items(), wreck
            live(publishing(site))
            assert files(site) == whole, wreck
    figures("killed while it writes drafts", kills=len(points), half_drafts=0)
    assert len(whole) == DRAFTS
    assert len(points) > 200
