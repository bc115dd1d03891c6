"""A stranger's name greets as a careful person would greet, names a file that says what it is, or does neither."""

from __future__ import annotations

from email.header import Header
from pathlib import Path

import pytest
from fakes import MONDAY, ROOT, make_rules

from pipeline.core import flow
from pipeline.core.records import Draft, History, Intent, Place, Raw, Reason, Verdict
from pipeline.edges.outbox import Outbox
from pipeline.edges.templates import Templates
from reliability.attacked import CANCEL

RULES = make_rules()
VERDICT = Verdict(intent=Intent.CANCEL, reason=Reason.PRICE)

# Name, greeting, and the customer's part of the name of the draft's file.
GOLDEN = (
    ("María López", "Hi María,", "María López"),
    ("josé", "Hi José,", "josé"),
    ("MARIA LOPEZ", "Hi Maria,", "MARIA LOPEZ"),
    ("O'Brien, Siobhán", "Hi Siobhán,", "O'Brien, Siobhán"),
    ("Jean-Luc Picard", "Hi Jean-Luc,", "Jean-Luc Picard"),
    ("Nguyễn Văn An", "Hi Nguyễn,", "Nguyễn Văn An"),
    ("Иван Петров", "Hi Иван,", "Иван Петров"),
    ("山田太郎", "Hi 山田太郎,", "山田太郎"),
    ("محمد علي", "Hi محمد,", "محمد علي"),
    ("דנה לוי", "Hi דנה,", "דנה לוי"),
    ("Ελένη Παππά", "Hi Ελένη,", "Ελένη Παππά"),
    ("김민수", "Hi 김민수,", "김민수"),
    ("E\u0301lodie Martin", "Hi Élodie,", "Élodie Martin"),
    # directions, zero widths, tags
    ("\u202eairaM", "Hi airaM,", "airaM"),
    ("Maria\u202e zepoL", "Hi Maria,", "Maria zepoL"),
    ("\u2067Maria\u2069 Lopez", "Hi Maria,", "Maria Lopez"),
    ("\u2066\u202a\u200eMaria\u202c\u2069", "Hi Maria,", "Maria"),
    ("Ma\u200bria Lopez", "Hi Maria,", "Maria Lopez"),
    ("Ma\u00ad\u2060ria", "Hi Maria,", "Maria"),
    ("\ufeffMaria", "Hi Maria,", "Maria"),
    ("Maria\U000e0042", "Hi Maria,", "Maria"),
    ("\u200b\u200d\u2060", "Hello,", "ann"),
    # letters that look like others
    ("M\u0430ria Lopez", "Hello,", "M\u0430ria Lopez"),
    ("\u041caria", "Hello,", "\u041caria"),
    ("M\u03b1ria", "Hello,", "M\u03b1ria"),
    ("\uff2d\uff41\uff52\uff49\uff41", "Hello,", "\uff2d\uff41\uff52\uff49\uff41"),
    ("\U0001d4dc\U0001d4ea\U0001d4fb\U0001d4f2\U0001d4ea", "Hello,", "\U0001d4dc\U0001d4ea\U0001d4fb\U0001d4f2\U0001d4ea"),
    ("\ufb01ona", "Hello,", "\ufb01ona"),
    # marks, emoji, length
    ("Z" + "\u0335" * 40 + "algo", "Hello,", "Z" + "\u0335" * 40 + "algo"),
    ("M\u0301\u0301\u0301\u0301aria", "Hello,", "Ḿ\u0301\u0301\u0301aria"),
    ("🎉 Maria", "Hello,", "🎉 Maria"),
    ("Maria 🎉 Lopez", "Hi Maria,", "Maria 🎉 Lopez"),
    ("🎉🎉🎉", "Hello,", "🎉🎉🎉"),
    ("a" * 10_000, "Hello,", "a" * 60),
    ("Maria " + "x" * 10_000, "Hi Maria,", "Maria " + "x" * 54),
    ("🎉" * 2_000, "Hello,", "🎉" * 30),
    # what is no name
    ("{{7*7}}", "Hello,", "{{7 7}}"),
    ("<b>Maria</b>", "Hello,", "b Maria b"),
    ("../../etc/passwd", "Hello,", "etc passwd"),
    ("/etc/passwd\x00.eml", "Hello,", "etc passwd.eml"),
    ("C:\\Windows\\CON", "Hello,", "C Windows CON"),
    ("CON", "Hi Con,", "CON"),
    ("Maria\r\nBcc: eve@evil.example", "Hello,", "Maria Bcc eve@evil.example"),
    ("Maria\u2028Lopez", "Hi Maria,", "Maria Lopez"),
    ("http://evil.example Maria", "Hello,", "http evil.example Maria"),
    ("www.evil.example", "Hello,", "www.evil.example"),
    ("ann@poe.example.org", "Hello,", "ann"),
    ("Maria 555 0100", "Hello,", "Maria 555 0100"),
    ("$500 for you", "Hello,", "$500 for you"),
    ("null", "Hello,", "null"),
    ("None", "Hello,", "None"),
    ("undefined undefined", "Hello,", "undefined undefined"),
    ("...", "Hello,", "ann"),
    ("", "Hello,", "ann"),
    ("Mr. Smith", "Hi Smith,", "Mr. Smith"),
)


def answer(name: str) -> Draft:
    """The draft for a cancellation of somebody with this name, read from the bytes of a mail."""
    written = Header(name, "utf-8", maxlinelen=10**9).encode() if name else ""
    data = f"From: {written} <ann@poe.example.org>\nTo: dana@bluedoor.example\nSubject: Membership\n\n{CANCEL}\n".encode()
    place = Place(folder="f", epoch="1", uid="1")
    message = flow.read(Raw(key=place.key, place=place, arrived=MONDAY, data=data))
    texts = Templates(ROOT / "templates")
    plan = flow.answer_as(message, VERDICT, History(), RULES, MONDAY, texts, lambda key: "stamp", 0)
    assert plan.draft is not None, plan.decision.why
    return plan.draft


@pytest.mark.parametrize(("name", "greeting", "file"), GOLDEN, ids=range(len(GOLDEN)))
def test_a_name_greets_and_names_a_file_as_it_should(tmp_path: Path, name: str, greeting: str, file: str):
    draft = answer(name)
    assert draft.text.split("\n")[0] == greeting
    Outbox(tmp_path / "outbox").publish([draft], RULES.business.sender, MONDAY)
    (published,) = (tmp_path / "outbox" / "review").iterdir()
    assert published.name == f"2026-11-23 {file} - price - {draft.key[:4]}.eml"
    assert len(published.name.encode()) < 255
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [published]
