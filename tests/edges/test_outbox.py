"""Reps read, edit and move files; whatever they, their editors and strangers do, nothing outside the folder is touched."""

from __future__ import annotations

import email
import email.policy
import errno
import os
import re
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.records import Address, Draft, Kind
from pipeline.edges import outbox as module
from pipeline.edges.outbox import ENDED, FOLDERS, LARGEST, MOVED, Found, Outbox, shown
from pipeline.errors import NeedsHuman, TryLater

MAILS = Path(__file__).parents[1] / "mails"
NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
DANA = Address(name="Dana Reyes", address="dana@bluedoor.example")
DRAFT = Draft(
    key="7f3a90c1d2e4b5a6978812ff",
    kind=Kind.ACKNOWLEDGMENT,
    case="case",
    number=0,
    recipient=Address(name="María López", address="maria@customer.example"),
    subject="Re: Cancelar mi clase",
    text="Hola, María:\n\nGracias por avisarnos.\n\nDana",
    quote="El 21 de noviembre de 2026, María López escribió:\n> Es demasiado caro.\n> ¡Adiós!",
    language="es",
    template="price",
    headers=(("In-Reply-To", "<m1@customer.example>"), ("References", "<m0@customer.example> <m1@customer.example>")),
    notes=(("Reason", "price"), ("Confidence", "0.91"), ("Evidence", '"demasiado caro"')),
    reason="price",
)
NAME = "2026-11-22 María López - price - 7f3a.eml"
OTHER = replace(DRAFT, key="7f3a11112222333344445555")


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "outbox"


def age(path: Path, when: datetime = NOW - timedelta(minutes=1)) -> Path:
    os.utime(path, (when.timestamp(), when.timestamp()), follow_symlinks=False)
    return path


def moved(outbox: Outbox, root: Path, to: str = "approved", draft: Draft = DRAFT) -> Path:
    """A published draft that a rep moved."""
    name = outbox.publish([draft], DANA, NOW)[0]
    return age((root / "review" / name).rename(root / to / name))


def saved(root: Path, mail: str | bytes, to: str = "approved", name: str = NAME) -> Path:
    data = mail if isinstance(mail, bytes) else (MAILS / mail).read_bytes()
    (root / to / name).write_bytes(data)
    return age(root / to / name)


def only(outbox: Outbox) -> Found:
    (found,) = outbox.scan(NOW)
    return found


def everything(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def test_the_folder_is_for_its_owner_alone(outbox: Outbox, root: Path):
    assert sorted(path.name for path in root.iterdir()) == sorted(FOLDERS)
    outbox.publish([DRAFT], DANA, NOW)[0]
    outbox.note("smtp", "Down")
    for path in (root, *root.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_a_draft_reads_well_in_any_editor(outbox: Outbox, root: Path):
    assert outbox.publish([DRAFT], DANA, NOW)[0] == NAME
    assert (root / "review" / NAME).read_bytes() == (
        """\
From: Dana Reyes <dana@bluedoor.example>
To: María López <maria@customer.example>
Subject: Re: Cancelar mi clase
In-Reply-To: <m1@customer.example>
References: <m0@customer.example> <m1@customer.example>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit
X-Unsent: 1
X-Winback-Reason: price
X-Winback-Confidence: 0.91
X-Winback-Evidence: "demasiado caro"
X-Winback-Draft: 7f3a90c1d2e4b5a6978812ff

Hola, María:

Gracias por avisarnos.

Dana

El 21 de noviembre de 2026, María López escribió:
> Es demasiado caro.
> ¡Adiós!
""".encode()
    )


def test_a_mail_program_reads_the_same_as_an_editor(outbox: Outbox, root: Path):
    draft = replace(DRAFT, recipient=Address(name='López, "María"', address="maria@customer.example"))
    name = outbox.publish([draft], DANA, NOW)[0]
    mail = email.message_from_bytes((root / "review" / name).read_bytes(), policy=email.policy.SMTPUTF8)
    (recipient,) = mail["To"].addresses
    shown_name = recipient.display_name.encode("utf-8", "surrogateescape").decode()
    assert (shown_name, recipient.addr_spec) == ('López, "María"', "maria@customer.example")
    assert mail["Subject"] == DRAFT.subject
    assert mail.get_content() == shown(DRAFT) + "\n"
    assert not mail.defects


def test_publishing_twice_is_publishing_once(outbox: Outbox, root: Path):
    first = outbox.publish([DRAFT], DANA, NOW)[0]
    before = everything(root)
    assert outbox.publish([DRAFT], DANA, NOW)[0] == first
    assert outbox.publish([DRAFT], DANA, NOW + timedelta(days=3))[0] == first
    assert everything(root) == before


def test_publishing_again_keeps_what_a_rep_wrote(outbox: Outbox, root: Path):
    path = root / "review" / outbox.publish([DRAFT], DANA, NOW)[0]
    edited = path.read_bytes().replace(b"Gracias", b"Mil gracias")
    path.write_bytes(edited)
    outbox.publish([DRAFT], DANA, NOW)[0]
    assert everything(root) == {f"review/{path.name}": edited}


def test_drafts_whose_keys_begin_alike_get_longer_names(outbox: Outbox):
    assert outbox.publish([DRAFT], DANA, NOW)[0] == NAME
    assert outbox.publish([OTHER], DANA, NOW)[0] == "2026-11-22 María López - price - 7f3a11.eml"
    assert outbox.publish([DRAFT, OTHER], DANA, NOW) == [NAME, "2026-11-22 María López - price - 7f3a11.eml"]


def test_a_file_is_there_whole_or_not_at_all(outbox: Outbox, root: Path, monkeypatch: pytest.MonkeyPatch):
    calls: list[str] = []
    for call in ("fsync", "rename"):
        really: Callable[..., object] = getattr(os, call)
        monkeypatch.setattr(os, call, lambda *a, call=call, really=really, **k: calls.append(call) or really(*a, **k))
    outbox.publish([DRAFT], DANA, NOW)[0]
    assert calls == ["fsync", "rename", "fsync"]


@pytest.mark.parametrize("call", ["fsync", "rename"])
def test_a_write_that_fails_leaves_nothing_behind(outbox: Outbox, root: Path, monkeypatch: pytest.MonkeyPatch, call: str):
    def fails(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fails)
        with pytest.raises(TryLater, match="the disk is full: make room"):
            outbox.publish([DRAFT], DANA, NOW)[0]
    assert everything(root) == {}
    assert outbox.publish([DRAFT], DANA, NOW)[0] == NAME


def test_what_a_crash_left_half_written_is_never_followed_or_kept(outbox: Outbox, root: Path, tmp_path: Path):
    outbox.publish([DRAFT], DANA, NOW)[0]
    whole = everything(root)
    outbox.discard(DRAFT.key)
    precious = tmp_path / "precious"
    precious.write_text("mine")
    part = f".{module.zlib.crc32(os.fsencode(NAME)):08x}.part"
    (root / "review" / part).symlink_to(precious)
    outbox.publish([DRAFT], DANA, NOW)[0]
    assert everything(root) == whole
    assert precious.read_text() == "mine"


def test_a_link_slipped_in_while_a_file_is_written_is_not_written_through(
    outbox: Outbox, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    precious = tmp_path / "precious"
    precious.write_text("mine")
    really = os.unlink

    def slipped_in(name: str, *, dir_fd: int) -> None:
        if (root / "review" / name).is_symlink():
            really(name, dir_fd=dir_fd)
        else:
            (root / "review" / name).symlink_to(precious)

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", slipped_in)
        with pytest.raises(NeedsHuman):
            outbox.publish([DRAFT], DANA, NOW)[0]
    assert precious.read_text() == "mine"
    assert outbox.publish([DRAFT], DANA, NOW)[0] == NAME


HOSTILE = [
    "../../etc/passwd",
    "/etc/passwd",
    "..",
    ".",
    "",
    ".hidden",
    "CON",
    'a/b\\c:d*e?f"g<h>i|j',
    "line\r\nbreak\x00nul\x1b[31m",
    "evil\u202egpj.exe",
    "zero\u200bwidth\u2066\u2069",
    "lone \ud800 surrogate",
    "x" * 4096,
    "ñ" * 4096,
    "😀" * 500,
    "e\u0301" * 300,
    "trailing dots...   ",
    "-rf ~",
    "\u2028\u2029\x85",
]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_no_customer_names_a_file_outside_or_one_that_misleads(outbox: Outbox, root: Path, tmp_path: Path, name: str):
    draft = replace(DRAFT, recipient=Address(name=name, address="maria@customer.example"), reason=name or "price")
    made = outbox.publish([draft], DANA, NOW)[0]
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()] == [f"outbox/review/{made}"]
    assert made.startswith("2026-11-22 ")
    assert made.endswith(" - 7f3a.eml")
    assert made.isprintable()
    assert not set(made) & set('/\\:*?"<>|')
    assert len(made.encode()) < 240
    age((root / "review" / made).rename(root / "approved" / made))
    assert (only(outbox).draft_key, only(outbox).problem) == (DRAFT.key, None)


def test_what_can_not_be_seen_in_a_name_is_left_out(outbox: Outbox):
    draft = replace(DRAFT, recipient=Address(name="Ma\u200bría\u202e: Lo/pez\x07 ", address="maria@customer.example"))
    assert outbox.publish([draft], DANA, NOW)[0] == "2026-11-22 María Lo pez - price - 7f3a.eml"


def test_a_customer_without_a_name_is_named_by_the_address(outbox: Outbox):
    draft = replace(DRAFT, recipient=Address(name="\u200b", address="maria.lopez@customer.example"))
    assert outbox.publish([draft], DANA, NOW)[0] == "2026-11-22 maria.lopez - price - 7f3a.eml"


@given(st.text(max_size=80))
def test_no_value_breaks_out_of_its_header(tmp_path_factory: pytest.TempPathFactory, noise: str):
    tricky = f"{noise}\r\nBcc: v@evil.example\nX-Winback-Draft: {OTHER.key}\u2028\n\nbody{noise}"
    draft = replace(
        DRAFT,
        recipient=Address(name=tricky, address="maria@customer.example"),
        subject=tricky,
        headers=(("References", tricky),),
        notes=(("Evidence", tricky), (tricky, "x")),
    )
    folder = tmp_path_factory.mktemp("reps")
    name = Outbox(folder).publish([draft], replace(DANA, name=tricky), NOW)[0]
    mail = email.message_from_bytes((folder / "review" / name).read_bytes())
    assert mail["Bcc"] is None
    assert mail.get_all("X-Winback-Draft") == [DRAFT.key]
    age((folder / "review" / name).rename(folder / "approved" / name))
    found = only(Outbox(folder))
    assert (found.draft_key, found.text, found.problem) == (DRAFT.key, shown(DRAFT), None)


def test_a_note_can_not_pretend_to_be_the_key(outbox: Outbox):
    with pytest.raises(ValueError, match="can't be called"):
        outbox.publish([replace(DRAFT, notes=(("Draft", OTHER.key),))], DANA, NOW)[0]


def test_a_very_long_quote_is_cut_so_that_the_file_can_come_back(outbox: Outbox, root: Path):
    draft = replace(DRAFT, quote="> x" * LARGEST, notes=(("Evidence", "x" * LARGEST),))
    path = moved(outbox, root, draft=draft)
    assert path.stat().st_size < LARGEST / 2
    assert only(outbox).problem is None
    assert only(outbox).text == shown(draft)


@pytest.mark.parametrize("folder", MOVED)
def test_a_moved_draft_is_found_where_it_lies(outbox: Outbox, root: Path, folder: str):
    moved(outbox, root, folder)
    assert only(outbox) == Found(
        draft_key=DRAFT.key, folder=folder, name=NAME, subject=DRAFT.subject, text=shown(DRAFT), named="7f3a"
    )


def test_drafts_in_review_and_files_that_ended_are_not_looked_at(outbox: Outbox, root: Path):
    outbox.publish([DRAFT], DANA, NOW)[0]
    outbox.store_sent(OTHER, DANA, NOW)
    for path in root.rglob("*.eml"):
        age(path)
    assert outbox.scan(NOW) == []


def test_an_edited_draft_is_found_with_its_new_words(outbox: Outbox, root: Path):
    path = moved(outbox, root)
    edited = path.read_text(encoding="utf-8").replace("Gracias por avisarnos.", "Mil gracias.  \n").replace("Re: Can", "Can")
    path.write_text(edited, encoding="utf-8")
    age(path)
    assert only(outbox).subject == "Cancelar mi clase"
    assert only(outbox).text.splitlines()[:6] == ["Hola, María:", "", "Mil gracias.", "", "", "Dana"]


def test_the_quote_may_be_deleted(outbox: Outbox, root: Path):
    path = moved(outbox, root)
    path.write_text(path.read_text(encoding="utf-8").partition("\n\nEl 21")[0], encoding="utf-8")
    age(path)
    assert only(outbox).text == DRAFT.text


def test_a_file_counts_as_saved_after_two_quiet_seconds(outbox: Outbox, root: Path):
    path = age(moved(outbox, root), NOW - timedelta(seconds=1))
    assert outbox.scan(NOW) == []
    assert len(outbox.scan(NOW + timedelta(seconds=1, milliseconds=1))) == 1
    age(path, NOW + timedelta(hours=1))
    assert len(outbox.scan(NOW)) == 1, "a clock that is ahead must not hold a file back"


SAVED_AS: dict[str, Callable[[str], bytes]] = {
    "with a byte order mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "with Windows line ends": lambda text: text.replace("\n", "\r\n").encode(),
    "with doubled line ends": lambda text: text.replace("\n", "\r\r\n").encode(),
    "with old line ends": lambda text: text.replace("\n", "\r").encode(),
    "as ANSI": lambda text: text.encode("cp1252"),
    "as Unicode": lambda text: text.replace("\n", "\r\n").encode("utf-16"),
    "as big-endian Unicode": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "in decomposed characters": lambda text: module.unicodedata.normalize("NFD", text).encode(),
    "with empty lines on top": lambda text: f"\n\n{text}".encode(),
    "with an mbox line on top": lambda text: f"From - Sun Nov 22 10:30:00 2026\n{text}".encode(),
    "with spaces at line ends": lambda text: text.replace("\n", "  \n").replace("  \n  \n", "\n\n", 1).encode(),
    "without a last line end": lambda text: text.rstrip("\n").encode(),
    "with another charset named": lambda text: text.replace("charset=utf-8", "charset=iso-8859-1").encode(),
    "with the key folded and shouted": lambda text: text.replace("X-Winback-Draft: 7f3a", "X-WINBACK-DRAFT:\n 7F3A").encode(),
    "with the key first": lambda text: f"X-Winback-Draft: {DRAFT.key}\n{text}".encode(),
}


@pytest.mark.parametrize("how", SAVED_AS)
def test_the_text_survives_being_saved(outbox: Outbox, root: Path, how: str):
    path = moved(outbox, root)
    path.write_bytes(SAVED_AS[how](path.read_text(encoding="utf-8")))
    age(path)
    found = only(outbox)
    assert (found.draft_key, found.problem) == (DRAFT.key, None)
    assert found.text == shown(DRAFT)
    assert found.subject == DRAFT.subject


def test_a_draft_saved_by_thunderbird_is_read(outbox: Outbox, root: Path):
    saved(root, "draft-saved-by-thunderbird.eml")
    found = only(outbox)
    assert (found.draft_key, found.problem) == (DRAFT.key, None)
    assert found.subject == "Re: Cancelar mi clase de mañana"
    assert found.text == (
        "Hola, María:\n\n"
        "Gracias por escribirnos. Tengo su mensaje y me ocupo de ello; no hace falta que haga nada más.\n\n"
        "From now on I edit by hand.\n\n"
        "> No puedo ir a la clase de mañana.\n>> ¿Nos vemos?\n--\nDana"
    )


def test_a_draft_saved_as_html_is_read_as_text(outbox: Outbox, root: Path):
    saved(root, "draft-saved-as-html.eml")
    found = only(outbox)
    assert (found.draft_key, found.problem) == (DRAFT.key, None)
    assert found.text.split("\n") == [
        "Hi Maria,",
        "",
        "Thank you for telling us – the 15\u00a0€ we talked about & the mañana slot.",
        "",
        "Monday",
        "Tuesday",
        "",
        "> I would like to cancel,",
        "> it is too expensive.",
    ]


def test_a_draft_saved_in_several_parts_is_read_from_the_plain_one(outbox: Outbox, root: Path):
    saved(root, "draft-saved-as-multipart.eml")
    assert (only(outbox).draft_key, only(outbox).text, only(outbox).problem) == (
        DRAFT.key,
        "Hola, María:\n\nUn abrazo,\nDana",
        None,
    )


def test_an_attachment_is_never_dropped_in_silence(outbox: Outbox, root: Path):
    saved(root, "draft-saved-with-attachment.eml")
    assert "has an attachment" in (only(outbox).problem or "")
    assert only(outbox).draft_key == DRAFT.key


MANGLED: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "emptied": (lambda data: data.partition(b"\n\n")[0] + b"\n\n  \n", "there is no text in it"),
    "blank line lost": (lambda data: data.replace(b"\n\n", b"\n", 1), "the lines above the text are damaged"),
    "blank line between headers": (
        lambda data: data.replace(b"X-Unsent", b"\nX-Unsent"),
        "the lines above the text are damaged",
    ),
    "words between headers": (
        lambda data: data.replace(b"X-Unsent", b"oops\nX-Unsent"),
        "the lines above the text are damaged",
    ),
    "notes in the text": (lambda data: data.replace(b"\n\n", b"\n\nX-Winback-Confidence: 0.9\n", 1), "lines above the text"),
    "notes in a quote": (lambda data: data + b"> X-Winback-Reason: price\n", "lines above the text"),
    "key lost": (lambda data: data.replace(b"X-Winback-Draft", b"X-Something"), "not a draft of winback; left alone"),
    "key broken": (lambda data: data.replace(b"7f3a90", b"hello "), "the lines above the text are damaged"),
    "two drafts": (lambda data: f"X-Winback-Draft: {OTHER.key}\n".encode() + data, "more than one draft"),
    "grown": (lambda data: data + b"x" * LARGEST, "bigger than 1 MB"),
    "not a mail": (lambda data: os.urandom(2000), "not a draft of winback; left alone"),
    "nothing": (lambda data: b"", "not a draft of winback; left alone"),
}


@pytest.mark.parametrize("how", MANGLED)
def test_a_mangled_draft_stays_and_says_why(outbox: Outbox, root: Path, how: str):
    path = moved(outbox, root)
    change, problem = MANGLED[how]
    path.write_bytes(change(path.read_bytes()))
    before = everything(root)
    age(path)
    found = only(outbox)
    assert problem in (found.problem or "")
    assert (found.folder, found.name) == ("approved", NAME)
    assert everything(root) == before


def test_our_notes_never_pass_for_text(outbox: Outbox, root: Path):
    whole = moved(outbox, root).read_bytes()
    lines = whole.split(b"\n")
    end = lines.index(b"")
    for number in range(1, end):
        saved(root, b"\n".join([*lines[:number], b"", *lines[number:]]))
        assert only(outbox).problem is not None, f"an empty line above {lines[number]!r}"


@pytest.mark.parametrize("folder", [folder for folder in MOVED if folder != "approved"])
def test_only_what_goes_out_must_have_a_text(outbox: Outbox, root: Path, folder: str):
    path = moved(outbox, root, folder)
    path.write_bytes(path.read_bytes().partition(b"\n\n")[0] + b"\n\n")
    age(path)
    assert (only(outbox).draft_key, only(outbox).problem) == (DRAFT.key, None)


@pytest.mark.parametrize(
    "name",
    [
        ".hidden.eml", f".{NAME}.swp", f"{NAME}~", f"#{NAME}#", f"~${NAME}", f"{NAME}.tmp", f"{NAME}.part", f"{NAME}.swp",
        f"{NAME}.bak", f".~lock.{NAME}#", "4913", "desktop.ini", "Thumbs.db", ".DS_Store", "Icon\r", f"{NAME}.crdownload",
    ],
)  # fmt: skip
def test_what_editors_and_systems_leave_behind_is_left_alone(outbox: Outbox, root: Path, name: str):
    path = moved(outbox, root)
    age(path.rename(path.with_name(name)))
    assert outbox.scan(NOW) == []
    assert path.with_name(name).exists()


@pytest.mark.parametrize(
    "name",
    [
        "2026-11-22 María López - price - 7f3a.sync-conflict-20261122-103000-ABCDEFG.eml",
        "2026-11-22 María López - price - 7f3a (Dana's conflicted copy 2026-11-22).eml",
        "2026-11-22 María López - price - 7f3a (conflicted copy 2026-11-22 103000).eml",
        "2026-11-22 María López - price - 7f3a (Copia en conflicto de Dana 2026-11-22).eml",
    ],
)
def test_of_two_versions_a_sync_program_left_a_person_chooses(outbox: Outbox, root: Path, name: str):
    path = moved(outbox, root)
    age(path.rename(path.with_name(name)))
    assert "two versions" in (only(outbox).problem or "")
    assert path.with_name(name).exists()


def test_a_customer_called_conflict_is_a_customer(outbox: Outbox, root: Path):
    moved(outbox, root, draft=replace(DRAFT, recipient=Address(name="Dr. Conflict (copy)", address="c@customer.example")))
    assert only(outbox).problem is None


def test_links_folders_and_pipes_are_left_alone(outbox: Outbox, root: Path, tmp_path: Path):
    outside = moved(outbox, root).rename(tmp_path / "outside.eml")
    (root / "approved" / "link - 7f3a.eml").symlink_to(outside)
    (root / "approved" / "broken - 7f3a.eml").symlink_to(tmp_path / "nothing")
    (root / "approved" / "folder - 7f3a.eml").mkdir()
    os.mkfifo(root / "approved" / "pipe - 7f3a.eml")
    for path in (root / "approved").iterdir():
        age(path)
    before = sorted(path.name for path in (root / "approved").iterdir())
    assert [(found.name, "move the files in it" in (found.problem or "")) for found in outbox.scan(NOW)] == [
        ("folder - 7f3a.eml", True)
    ]
    assert outbox.missing([DRAFT.key]) == [DRAFT.key]
    for name in before:
        assert outbox.settle(name, "approved", "sent", now=NOW) == name
    assert sorted(path.name for path in (root / "approved").iterdir()) == before
    assert outside.exists()


def test_a_name_that_can_not_be_shown_is_told_and_left_alone(outbox: Outbox, root: Path):
    path = moved(outbox, root)
    bad = path.rename(path.with_name(os.fsdecode(b"caf\xe9\n\xe2\x80\xae.eml")))
    found = only(outbox)
    assert "rename it" in (found.problem or "")
    assert found.name.isprintable()
    assert bad.exists()


def test_a_file_that_may_not_be_read_does_not_hold_up_the_others(outbox: Outbox, root: Path, monkeypatch: pytest.MonkeyPatch):
    moved(outbox, root)
    secret = moved(outbox, root, draft=OTHER)
    really = os.open

    def refused(path: object, *args: object, **kwargs: object) -> int:
        if path == secret.name:
            raise PermissionError(errno.EACCES, "Permission denied")
        return really(path, *args, **kwargs)

    monkeypatch.setattr(os, "open", refused)
    assert {found.name: found.problem is None for found in outbox.scan(NOW)} == {NAME: True, secret.name: False}


def test_a_settled_draft_lies_in_its_last_folder_with_the_cause(outbox: Outbox, root: Path):
    moved(outbox, root)
    assert outbox.settle(NAME, "approved", "held", cause="refused:\r\n550 no such user", now=NOW) == NAME
    ((path, data),) = everything(root).items()
    assert path == f"held/{NAME}"
    assert data.startswith(b"X-Winback-Cause: refused: 550 no such user (2026-11-22)\nFrom: Dana Reyes")
    mail = email.message_from_bytes(data)
    assert (mail["X-Winback-Draft"], mail.defects) == (DRAFT.key, [])


def test_a_settled_draft_without_a_cause_keeps_its_bytes(outbox: Outbox, root: Path):
    data = moved(outbox, root).read_bytes()
    assert outbox.settle(NAME, "approved", "sent", now=NOW) == NAME
    assert everything(root) == {f"sent/{NAME}": data}


@pytest.mark.parametrize("cause", [None, "expired"])
def test_nothing_is_overwritten_when_a_draft_is_settled(outbox: Outbox, root: Path, cause: str | None):
    (root / "sent" / NAME).write_text("older")
    (root / "sent" / NAME.replace(".eml", " (2).eml")).mkdir()
    moved(outbox, root)
    name = outbox.settle(NAME, "approved", "sent", cause=cause, now=NOW)
    assert name == NAME.replace(".eml", " (3).eml")
    assert (root / "sent" / NAME).read_text() == "older"
    assert DRAFT.key in (root / "sent" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("cause", [None, "expired"])
def test_settling_twice_is_settling_once(outbox: Outbox, root: Path, cause: str | None):
    moved(outbox, root)
    first = outbox.settle(NAME, "approved", "held", cause=cause, now=NOW)
    before = everything(root)
    assert outbox.settle(NAME, "approved", "held", cause=cause, now=NOW) == first
    assert everything(root) == before


def test_a_crash_between_writing_and_removing_leaves_one_file_in_the_end(outbox: Outbox, root: Path):
    data = moved(outbox, root).read_bytes()
    outbox.settle(NAME, "approved", "held", cause="expired", now=NOW)
    saved(root, data)
    outbox.settle(NAME, "approved", "held", cause="expired", now=NOW)
    assert list(everything(root)) == [f"held/{NAME}"]


def test_a_name_as_long_as_file_systems_take_can_be_settled_twice(outbox: Outbox, root: Path):
    for draft in (DRAFT, OTHER):
        path = moved(outbox, root, draft=draft)
        long = path.rename(path.with_name("ñ" * 125 + ".eml"))
        outbox.settle(long.name, "approved", "held", cause="expired", now=NOW)
    assert len(everything(root)) == 2


@pytest.mark.parametrize("name", ["../review/x.eml", "/etc/passwd", "..", ".", "", "a\0b"])
def test_no_name_leads_out_of_a_folder(outbox: Outbox, name: str):
    for act in (lambda: outbox.settle(name, "approved", "sent", now=NOW), lambda: outbox.remove("approved", name)):
        with pytest.raises(ValueError, match="is no file name"):
            act()


@pytest.mark.parametrize("folder", ["..", "", "/etc", "approved/../..", "nowhere"])
def test_no_folder_is_touched_but_our_own(outbox: Outbox, folder: str):
    for act in (lambda: outbox.settle(NAME, folder, "sent", now=NOW), lambda: outbox.remove(folder, NAME)):
        with pytest.raises(ValueError, match="is no folder of the outbox"):
            act()


def test_a_folder_that_is_a_link_is_refused(outbox: Outbox, root: Path, tmp_path: Path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("review", "approved"):
        (root / name).rmdir()
        (root / name).symlink_to(elsewhere)
    with pytest.raises(NeedsHuman, match=r"review: .*must be a folder"):
        outbox.publish([DRAFT], DANA, NOW)[0]
    with pytest.raises(NeedsHuman, match=r"approved: .*must be a folder"):
        outbox.scan(NOW)
    assert list(elsewhere.iterdir()) == []


def test_the_outbox_itself_may_be_a_link_that_the_admin_made(tmp_path: Path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "outbox").symlink_to(tmp_path / "disk")
    Outbox(tmp_path / "outbox").publish([DRAFT], DANA, NOW)[0]
    assert (tmp_path / "disk" / "review" / NAME).exists()


def test_a_folder_that_somebody_deleted_is_made_again(outbox: Outbox, root: Path):
    (root / "price").rmdir()
    assert outbox.scan(NOW) == []
    assert (root / "price").is_dir()


def test_an_outbox_that_is_gone_is_for_a_person(outbox: Outbox, root: Path):
    root.rename(root.with_name("unmounted"))
    with pytest.raises(NeedsHuman, match="the folder is gone: make it again, or mount its disk"):
        outbox.publish([DRAFT], DANA, NOW)[0]
    with pytest.raises(NeedsHuman, match="the folder is gone"):
        outbox.note("smtp", "Down")
    assert not root.exists()


def test_an_outbox_that_can_not_be_made_is_for_a_person(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NeedsHuman, match=str(tmp_path / "file" / "outbox")):
        Outbox(tmp_path / "file" / "outbox")


@pytest.mark.parametrize(
    ("number", "error", "what"),
    [
        (errno.ENOSPC, TryLater, "the disk is full: make room"),
        (errno.EDQUOT, TryLater, "quota"),
        (errno.ESTALE, TryLater, "tried again"),
        (errno.EACCES, NeedsHuman, "chmod 700"),
        (errno.EROFS, NeedsHuman, "read-only"),
        (errno.EIO, NeedsHuman, "look after the disk"),
    ],
)
def test_each_trouble_of_the_disk_says_where_and_what_to_do(
    outbox: Outbox, root: Path, monkeypatch: pytest.MonkeyPatch, number: int, error: type[Exception], what: str
):
    def fails(*args: object, **kwargs: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(error, match=f"{root / 'review'}: .*{re.escape(what)}"):
        outbox.publish([DRAFT], DANA, NOW)[0]


def test_a_disk_that_can_not_sync_folders_will_do(outbox: Outbox, monkeypatch: pytest.MonkeyPatch):
    really = os.fsync

    def files_only(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        really(descriptor)

    monkeypatch.setattr(os, "fsync", files_only)
    assert outbox.publish([DRAFT], DANA, NOW)[0] == NAME


def test_no_descriptor_stays_open(outbox: Outbox, root: Path):
    descriptors = Path("/proc/self/fd")
    if not descriptors.exists():
        pytest.skip("no /proc here to count descriptors in")
    before = len(list(descriptors.iterdir()))
    (root / "approved" / "folder - 7f3a.eml").mkdir()
    for _ in range(3):
        moved(outbox, root)
        outbox.scan(NOW)
        outbox.missing(["0" * 24])
        outbox.settle(NAME, "approved", "sent", cause="x", now=NOW)
    assert len(list(descriptors.iterdir())) == before


def test_an_automatic_answer_is_kept_among_what_was_sent(outbox: Outbox, root: Path):
    name = outbox.store_sent(DRAFT, DANA, NOW)
    data = (root / "sent" / name).read_bytes()
    assert name == NAME
    assert b"X-Unsent" not in data, "a mail program would open it as a draft"
    assert data.endswith(f"\n\n{shown(DRAFT)}\n".encode())
    assert outbox.store_sent(DRAFT, DANA, NOW + timedelta(days=1)) == name
    assert everything(root) == {f"sent/{name}": data}


def test_what_was_held_and_then_sent_lies_in_one_folder(outbox: Outbox, root: Path):
    outbox.store_sent(DRAFT, DANA, NOW, "held", "refused: 550")
    assert b"X-Winback-Cause: refused: 550\n" in everything(root)[f"held/{NAME}"]
    outbox.store_sent(DRAFT, DANA, NOW, "held", "expired")
    assert b"X-Winback-Cause: expired\n" in everything(root)[f"held/{NAME}"]
    outbox.store_sent(DRAFT, DANA, NOW)
    assert list(everything(root)) == [f"sent/{NAME}"]


MAIL_KEY = "0f0f90c1d2e4b5a6978812ff"


def test_a_held_mail_that_is_moved_says_which_one_it_is(outbox: Outbox, root: Path):
    data = b"From: Eva <eva@customer.example>\r\nSubject: ?\r\n\r\nMaybe later?\r\n"
    name = outbox.keep(MAIL_KEY, "Eva Ruiz", data, "not sure whether this is a cancellation", NOW)
    assert name == "2026-11-22 Eva Ruiz - held - 0f0f.eml"
    assert outbox.keep(MAIL_KEY, "Eva Ruiz", data, "not sure whether this is a cancellation", NOW + timedelta(days=1)) == name
    age((root / "held" / name).rename(root / "price" / name))
    assert only(outbox) == Found(draft_key=None, mail_key=MAIL_KEY, folder="price", name=name, named="0f0f")
    assert email.message_from_bytes((root / "price" / name).read_bytes())["Subject"] == "?"


def test_a_held_mail_can_not_be_approved(outbox: Outbox, root: Path):
    name = outbox.keep(MAIL_KEY, "Eva", b"Subject: ?\n\nx", "unsure", NOW)
    age((root / "held" / name).rename(root / "approved" / name))
    assert "no draft" in (only(outbox).problem or "")


def test_a_stranger_can_not_name_a_draft_of_ours(outbox: Outbox, root: Path):
    mail = (MAILS / "held-with-foreign-headers.eml").read_bytes()
    assert DRAFT.key.encode() in mail
    name = outbox.keep(MAIL_KEY, "Someone", mail, "unsure", NOW)
    age((root / "held" / name).rename(root / "price" / name))
    assert (only(outbox).draft_key, only(outbox).mail_key, only(outbox).problem) == (None, MAIL_KEY, None)


@pytest.mark.parametrize(
    "data", [b"", b"\n\n", b"\x00\xff" * 1000, b"no header\nat all", b"Subject: x\n\n" + b"x" * 2 * LARGEST]
)
def test_a_held_mail_may_be_as_strange_as_mails_are(outbox: Outbox, root: Path, data: bytes):
    name = outbox.keep(MAIL_KEY, "", data, "can't be read", NOW)
    assert name == "2026-11-22 unknown - held - 0f0f.eml"
    age((root / "held" / name).rename(root / "other" / name))
    assert (only(outbox).mail_key, only(outbox).problem) == (MAIL_KEY, None)


def test_a_draft_is_missing_unless_it_lies_somewhere_under_any_name(outbox: Outbox, root: Path):
    assert outbox.missing([DRAFT.key, OTHER.key]) == [DRAFT.key, OTHER.key]
    path = moved(outbox, root, "service")
    path.rename(path.with_name("maria.txt"))
    assert outbox.missing([DRAFT.key, OTHER.key]) == [OTHER.key]


@pytest.mark.parametrize("folder", ENDED)
def test_a_waiting_draft_among_the_ended_ones_is_missing_and_found_there(outbox: Outbox, root: Path, folder: str):
    moved(outbox, root, folder)
    assert outbox.missing([DRAFT.key]) == [DRAFT.key]
    assert outbox.astray([DRAFT.key, OTHER.key]) == [(DRAFT.key, folder, NAME)]


def test_a_file_that_holds_two_drafts_is_neither(outbox: Outbox, root: Path):
    path = moved(outbox, root)
    saved(root, path.read_bytes().replace(b"X-Winback-Draft", f"X-Winback-Draft: {OTHER.key}\nX-Winback-Draft".encode()))
    assert outbox.missing([DRAFT.key, OTHER.key]) == [DRAFT.key, OTHER.key]
    assert sorted(only(outbox).several) == sorted([DRAFT.key, OTHER.key])


def test_the_versions_of_a_draft_are_read_where_reps_work_with_what_is_wrong_with_them(outbox: Outbox, root: Path):
    name = outbox.publish([DRAFT], DANA, NOW)[0]
    (root / "review" / "copy.eml").write_bytes((root / "review" / name).read_bytes().replace(b"Hola", b"Buenas"))
    moved(outbox, root, "price", OTHER)
    (root / "review" / "x - 7f3a.eml").write_text("Hola", encoding="utf-8")
    read = {found.name: (found.folder, found.text[:6], bool(found.problem)) for found in outbox.versions(DRAFT.key)}
    assert read == {
        name: ("review", "Hola, ", False),
        "copy.eml": ("review", "Buenas", False),
        "x - 7f3a.eml": ("review", "", True),
    }


def test_what_an_editor_leaves_beside_a_draft_is_not_the_draft(outbox: Outbox, root: Path):
    path = moved(outbox, root)
    path.rename(path.with_name(f"{path.name}~"))
    assert outbox.missing([DRAFT.key]) == [DRAFT.key]


@pytest.mark.parametrize("folder", FOLDERS)
def test_an_erased_customer_leaves_no_file_in_any_folder(outbox: Outbox, root: Path, folder: str):
    name = outbox.publish([DRAFT, OTHER], DANA, NOW)[0]
    (root / "review" / name).rename(root / folder / "maria.txt")
    outbox.note(f"{folder} maria.txt", f"{folder}/maria.txt: save it again")
    assert outbox.erase([DRAFT.key]) == 1
    assert list(everything(root)) == ["review/2026-11-22 María López - price - 7f3a11.eml"]


def test_a_file_that_lost_its_key_is_erased_by_its_name(outbox: Outbox, root: Path):
    (root / "approved" / NAME).write_text("Hola, María", encoding="utf-8")
    (root / "approved" / "shopping.txt").write_text("milk", encoding="utf-8")
    assert outbox.erase([DRAFT.key]) == 1
    assert list(everything(root)) == ["approved/shopping.txt"]


def test_files_that_ended_go_in_time_and_those_that_wait_stay(outbox: Outbox, root: Path):
    for folder in (*MOVED, *ENDED, "review"):
        path = root / "review" / outbox.publish([DRAFT], DANA, NOW)[0]
        age(path.rename(root / folder / NAME))
    age(saved(root, b"mine", "sent", "my list.txt"))
    assert outbox.tidy(NOW - timedelta(minutes=2)) == 0
    assert outbox.tidy(NOW) == 3
    left = {path.partition("/")[0] for path in everything(root)}
    assert left == set(FOLDERS) - {"rejected", "held"}
    assert list((root / "sent").iterdir()) == [root / "sent" / "my list.txt"]


def test_a_note_on_a_file_goes_when_nothing_is_wrong_any_more(outbox: Outbox, root: Path):
    outbox.note("poll", "wrong password")
    (root / "NOTE - price list.txt").write_text("massage 60", encoding="utf-8")
    outbox.complain({"price/a.eml": "is empty", "approved/b.eml": "is too big"})
    outbox.complain({"approved/b.eml": "is too big"})
    names = {"NOTE - poll.txt", "NOTE - price list.txt", "NOTE - approved b.eml.txt"}
    assert set(everything(root)) == names
    assert (root / "NOTE - approved b.eml.txt").read_text(encoding="utf-8") == "approved/b.eml: is too big\n"


def test_a_superseded_draft_goes_with_its_copies_and_leaves_the_others(outbox: Outbox, root: Path):
    path = root / "review" / outbox.publish([DRAFT], DANA, NOW)[0]
    path.with_name("Copy of it.eml").write_bytes(path.read_bytes())
    kept = outbox.publish([OTHER], DANA, NOW)[0]
    (root / "review" / "readme.txt").write_text("mine")
    outbox.discard(DRAFT.key)
    assert sorted(everything(root)) == sorted([f"review/{kept}", "review/readme.txt"])


def test_removing_twice_is_removing_once(outbox: Outbox, root: Path):
    moved(outbox, root)
    outbox.remove("approved", NAME)
    outbox.remove("approved", NAME)
    assert everything(root) == {}


def test_a_note_is_left_and_taken_away(outbox: Outbox, root: Path):
    outbox.note("smtp", "The mail server refuses the password.\x1b[31m\n")
    assert everything(root) == {"NOTE - smtp.txt": b"The mail server refuses the password.[31m\n"}
    outbox.note("smtp", "Still.")
    assert everything(root) == {"NOTE - smtp.txt": b"Still.\n"}
    outbox.clear_note("smtp")
    outbox.clear_note("smtp")
    assert everything(root) == {}


def test_a_note_that_says_the_same_is_not_written_again(outbox: Outbox, root: Path):
    outbox.note("smtp", "Down")
    age(root / "NOTE - smtp.txt")
    before = (root / "NOTE - smtp.txt").stat().st_mtime
    outbox.note("smtp", "Down")
    assert (root / "NOTE - smtp.txt").stat().st_mtime == before


@pytest.mark.parametrize("name", ["../../x", "approved/2026 x.eml", "a\nb", "x" * 500, "", "\u202e"])
def test_a_note_lies_in_the_outbox_whatever_it_is_about(outbox: Outbox, root: Path, tmp_path: Path, name: str):
    outbox.note(name, "text")
    (path,) = everything(tmp_path)
    assert re.fullmatch(r"outbox/NOTE - [^/]{0,100}\.txt", path)
    assert path.isprintable()
    outbox.clear_note(name)
    assert everything(tmp_path) == {}


def test_a_note_is_never_written_through_a_link(outbox: Outbox, root: Path, tmp_path: Path):
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (root / "NOTE - smtp.txt").symlink_to(precious)
    outbox.note("smtp", "Down")
    assert precious.read_text() == "mine"
    assert (root / "NOTE - smtp.txt").read_text() == "Down\n"


@given(st.binary(max_size=300))
def test_whatever_lies_there_the_scan_goes_on(tmp_path_factory: pytest.TempPathFactory, noise: bytes):
    folder = tmp_path_factory.mktemp("reps")
    reps = Outbox(folder)
    key = f"X-Winback-Draft: {DRAFT.key}\n".encode()
    for number, data in enumerate(
        (noise, key + noise, key + b"Content-Type: " + noise, key + b"Subject: =?" + noise + b"\n\nx")
    ):
        saved(folder, data, name=f"{number}.eml")
    for found in reps.scan(NOW):
        assert found.problem or found.text
        assert found.subject.isprintable()


def test_the_ends_are_no_folders_that_reps_move_to():
    assert not set(ENDED) & set(MOVED)
    assert set(FOLDERS) == {"review", *MOVED, *ENDED}
