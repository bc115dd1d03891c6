"""Names, links and races in the reps' folder: nothing is written outside of it, sent that is foreign, or sent twice."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from fakes import MONDAY, World, mail, make_rules, make_world

from pipeline import gestures, jobs
from pipeline.core.records import Address
from pipeline.edges.outbox import FOLDERS, MOVED, Outbox
from reliability.attacked import CANCEL, work
from reliability.test_names import answer
from reliability.world import quick_folder

SECRET = "X-Winback-Draft: {key}\nSubject: x\n\nThe secret of the house.\n"
PIECES = (
    *(
        "../",
        "..\\",
        "/",
        "//",
        "\\",
        "/etc/passwd",
        "~",
        "~root/",
        "C:",
        "CON",
        "NUL",
        "aux.txt",
        "file://",
        "%2e%2e%2f",
        "\x00",
    ),
    *(
        "\u202e",
        "\u2028",
        "\n",
        "\r",
        "\t",
        "\u2215",
        "\u2044",
        "\uff0f",
        "\u2024\u2024/",
        ".",
        "..",
        " ",
        "$HOME",
        "`id`",
        "$(id)",
    ),
    *("*", "?", "|", ";", "&", "<", ">", '"', "'", "é", "🎉", "\u200b", "\ufeff", "a" * 4_000, ".eml", ".part", "-rf", "#"),
)


@pytest.fixture
def world() -> Iterator[World]:
    """A site with one draft that waits."""
    with quick_folder() as folder:
        world = make_world(folder / "site", acknowledgments="when_sure")
        work(world)
        world.inbox.arrive(mail(CANCEL, trusted=False))
        work(world)
        assert len(world.files("review")) == 1
        yield world
        world.site.store.close()


def everything(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink()}


def old(path: Path) -> Path:
    """Saved a while ago, so that it is looked at."""
    stamp = MONDAY.timestamp() - 60
    os.utime(path, (stamp, stamp), follow_symlinks=False)
    return path


@pytest.mark.parametrize("quarter", range(4))
def test_a_thousand_names_of_customers_stay_in_the_folder(tmp_path: Path, quarter: int):
    luck = random.Random(quarter)
    outbox, draft = Outbox(tmp_path / "outbox"), answer("Ann")
    for number in range(250):
        name = "".join(luck.choices(PIECES, k=luck.randrange(1, 6)))
        key = f"{number:024x}"
        who = Address(name=name, address=f"a{number}@b.example")
        outbox.keep(key[::-1], name, b"From: a@b.example\n\nx\n", name, MONDAY)
        outbox.note(f"{number} {name}", name)
        if number % 4 == 0:
            made = type(draft)(**{each: getattr(draft, each) for each in draft.__slots__} | {"key": key, "recipient": who})
            (file,) = outbox.publish([made], make_rules().business.sender, MONDAY)
            outbox.settle(file, "review", "sent", now=MONDAY)
    found = everything(tmp_path)
    assert all(path.parent.parent == tmp_path / "outbox" or path.parent == tmp_path / "outbox" for path in found)
    assert len([path for path in found if path.parent.name == "held"]) == 250
    assert len([path for path in found if path.parent.name == "sent"]) == 63
    assert not any(path.is_symlink() for path in found)


def plant(kind: str, place: Path, secret: Path) -> None:
    """Something that is no draft, where drafts are expected."""
    match kind:
        case "symlink":
            place.symlink_to(secret)
        case "dangling":
            place.symlink_to("/nowhere/at/all")
        case "hard link":
            place.hardlink_to(secret)
        case "folder":
            place.mkdir()
        case "pipe":
            os.mkfifo(place)


@pytest.mark.parametrize("kind", ["symlink", "hard link", "folder", "pipe", "dangling"])
def test_what_is_linked_in_is_neither_sent_nor_changed(world: World, kind: str):
    key = world.site.store.drafts.waiting()[0].draft.key
    secret = world.outbox.parent.parent / "secret.txt"
    secret.write_text(SECRET.format(key="f" * 24 if kind == "hard link" else key))
    old(secret)
    before = secret.read_bytes()
    for folder in MOVED:
        place = world.outbox / folder / "2026-11-23 Maria Lopez - unspecified - abcd.eml"
        plant(kind, place, secret)
    for _ in range(2):
        work(world)
    assert world.delivery.delivered_mails == []
    assert secret.read_bytes() == before
    assert len(world.files("review")) == 1


def test_a_folder_that_became_a_link_is_refused_until_it_is_one_again(world: World):
    elsewhere = world.outbox.parent.parent / "elsewhere"
    elsewhere.mkdir()
    (world.outbox / "approved").rmdir()
    (world.outbox / "approved").symlink_to(elsewhere)
    (waiting,) = world.files("review")
    old(waiting).rename(elsewhere / waiting.name)
    for job in (gestures.collect, jobs.publish, jobs.send):
        try:
            job(world.site)
        except Exception as error:
            assert "approved" in str(error)
    assert world.delivery.delivered_mails == []
    assert [path.name for path in everything(elsewhere)] == [waiting.name]


@pytest.mark.parametrize(
    "copy",
    [
        "{stem}.sync-conflict-20261123-101500-ABCDEFG.eml",
        "{stem} (Dana's conflicted copy 2026-11-23).eml",
        "{stem} (1).eml",
        "x.eml",
    ],
)
def test_of_copies_one_is_sent_at_most_and_only_to_the_customer(world: World, copy: str):
    (waiting,) = world.files("review")
    data = waiting.read_text().replace("maria@example.org", "eve@evil.example")
    for name in (waiting.name, copy.format(stem=waiting.stem)):
        old_file = world.outbox / "approved" / name
        old_file.write_text(data)
        old(old_file)
    waiting.unlink()
    for _ in range(3):
        work(world)
    assert [sent.recipient for sent in world.delivery.delivered_mails] == ["maria@example.org"]


def test_a_rep_who_moves_files_all_the_time_gets_one_mail_sent_at_most(world: World):
    (waiting,) = world.files("review")
    old(waiting)
    luck, over = random.Random(29), threading.Event()

    def moves() -> None:
        while not over.is_set():
            for found in world.outbox.glob("*/*Maria*.eml"):
                with suppress(OSError):  # winback took it
                    found.rename(world.outbox / luck.choice(("approved", "review", "rejected", "price")) / found.name)

    rep = threading.Thread(target=moves)
    rep.start()
    try:
        for _ in range(150):
            for job in (gestures.collect, jobs.publish, jobs.send):
                job(world.site)
    finally:
        over.set()
        rep.join()
    assert len(world.delivery.delivered_mails) <= 1
    assert {path.parent.name for path in everything(world.outbox)} <= {*FOLDERS, "outbox"}
