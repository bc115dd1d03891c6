"""The full cycle of a few customers, and an observer who trusts neither the product nor its code."""

from __future__ import annotations

import email
import hashlib
import os
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

from fakes import mail

from reliability.world import Act, Outside

CANCEL = "Please cancel my membership, it is too expensive for me."


@dataclass(frozen=True)
class Customer:
    """Who writes, whether a trusted server vouches for it, and what the product owes: `answer` means that the mail ends as
    exactly one of acknowledged, waiting draft, rejected by a rep, or held for a person.
    """

    name: str
    trusted: bool = True
    text: str = CANCEL
    owed: str = "answer"

    @property
    def mailbox(self) -> str:
        return f"{self.name.capitalize()} <{self.name}@{self.name}.example.org>"


MARIA = Customer("maria")  # answered at once
TOM = Customer("tom", trusted=False)  # a rep edits and approves
ANA = Customer("ana", trusted=False)  # a rep corrects the reason, then approves
EVE = Customer("eve", trusted=False)  # a rep rejects
KIM = Customer("kim", trusted=False)  # no rep ever looks
LEE = Customer("lee", owed="held")  # on the suppression list
SAM = Customer("sam", text="What is your cancellation policy?", owed="ignored")

EVERYBODY = (MARIA, TOM, ANA, EVE, KIM, LEE, SAM)
TWO = (MARIA, TOM)


def mails_of(customers: Sequence[Customer]) -> Act:
    def mails_arrive(outside: Outside, folder: Path) -> None:
        for uid, one in enumerate(customers, 1):
            outside.arrive(mail(one.text, one.mailbox, f"about {one.name}", uid=str(uid), trusted=one.trusted))

    return mails_arrive


def reps_work(outside: Outside, folder: Path) -> None:
    move(outside, folder, TOM, "approved", edited=True)
    move(outside, folder, ANA, "timing")
    move(outside, folder, EVE, "rejected")


def rep_approves_the_corrected_draft(outside: Outside, folder: Path) -> None:
    move(outside, folder, ANA, "approved")


def rep_approves_two_touches(outside: Outside, folder: Path) -> None:
    for one in (MARIA, ANA):
        move(outside, folder, one, "approved")


def move(outside: Outside, folder: Path, whose: Customer, to: str, *, edited: bool = False) -> None:
    """A rep moves the file of a customer out of review/, if there is one; edited: with a line of their own above the quote."""
    for file in sorted((folder / "outbox" / "review").glob(f"* {whose.name.capitalize()} - *.eml")):
        words = file.read_text(encoding="utf-8")
        if edited:
            file.write_text(words.replace("\n\n> ", "\n\nAll the best!\n\n> ", 1), encoding="utf-8")
        saved = outside.now().timestamp() - 10
        os.utime(file, (saved, saved))
        file.rename(folder / "outbox" / to / file.name)


def customers_reply(outside: Outside, folder: Path) -> None:
    for one in TWO:
        outside.arrive(mail("Thank you, let me think.", one.mailbox, uid=f"{one.name}-2"))


def passes(**time: float) -> Act:
    return lambda outside, folder: outside.forward(**time)


def acts(customers: Sequence[Customer]) -> tuple[Act, ...]:
    """From the mails of these customers to the end of their follow-ups."""
    return (mails_of(customers), *ACTS)


ACTS: tuple[Act, ...] = (
    reps_work,
    rep_approves_the_corrected_draft,
    passes(minutes=30),
    passes(hours=2),
    passes(days=7),
    rep_approves_two_touches,
    passes(minutes=30),
    passes(hours=2),
    customers_reply,
    passes(days=60),
)


def findings(folder: Path, customers: Sequence[Customer], *, proves: bool) -> list[str]:
    """Everything that is wrong with a site that is quiet; empty when all promises were kept."""
    outside = Outside(folder / "outside")
    with closing(sqlite3.connect(folder / "state" / "winback.db")) as db:
        db.row_factory = sqlite3.Row
        look = Observer(db, outside, folder)
        return [
            *look.soundness(),
            *look.lost(customers),
            *look.doubles(),
            *look.sends_and_acceptances(proves=proves),
            *look.files(),
            *look.unfinished(),
        ]


class Observer:
    """Compares the rows, the mails that the other side took over, and the files of the reps."""

    def __init__(self, db: sqlite3.Connection, outside: Outside, folder: Path) -> None:
        self.db, self.outside, self.folder = db, outside, folder
        self.accepted = Counter(outside.accepted())
        self.taken = [email.message_from_bytes(file.read_bytes()) for file in sorted((outside.folder / "taken").iterdir())]

    def rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        return self.db.execute(query, values).fetchall()

    def soundness(self) -> Iterator[str]:
        if self.rows("PRAGMA integrity_check")[0][0] != "ok" or self.rows("PRAGMA foreign_key_check"):
            yield "the database is damaged"

    def lost(self, customers: Sequence[Customer]) -> Iterator[str]:
        for uid, one in enumerate(customers, 1):
            found = self.rows("SELECT key, state, reason FROM message WHERE uid = ?", str(uid))
            if len(found) != 1:
                yield f"{one.name}: LOST, {len(found)} rows"
                continue
            (row,) = found
            if one.owed in ("held", "ignored") and (row["state"] != one.owed or not row["reason"]):
                yield f"{one.name}: {row['state']} ({row['reason']}) instead of {one.owed}"
            if one.owed == "answer":
                yield from self._answered(one.name, row)

    def _answered(self, name: str, row: sqlite3.Row) -> Iterator[str]:
        ends = self.rows(
            "SELECT coalesce(send.state, draft.state) FROM draft LEFT JOIN send ON send.draft = draft.key"
            " WHERE draft.\"case\" = ? AND draft.kind = 'acknowledgment' AND draft.state <> 'superseded'",
            row["key"],
        )
        if row["state"] != "decided" or [end[0] for end in ends if end[0] in ("sent", "waiting", "rejected", "held")] == []:
            yield f"{name}: LOST, {row['state']} with drafts {[end[0] for end in ends]}"
        if len(ends) > 1:
            yield f"{name}: more than one end: {[end[0] for end in ends]}"

    def doubles(self) -> Iterator[str]:
        yield from (f"DOUBLE: {key} was taken over {count} times" for key, count in self.accepted.items() if count > 1)
        # What the customer sees, whatever our keys say: one acknowledgment of a mail, and no touch twice.
        seen = Counter(_what(taken) for taken in self.taken)
        yield from (f"DOUBLE: {what} came {count} times" for what, count in seen.items() if count > 1)

    def sends_and_acceptances(self, *, proves: bool) -> Iterator[str]:
        for row in self.rows("SELECT key, state, phase FROM send"):
            taken = self.accepted[row["key"]]
            if row["state"] == "sent" and not taken:
                yield f"SENT but never taken over: {row['key']}"
            if row["state"] != "sent" and taken and not (row["state"] == "held" and row["phase"] == "dot" and not proves):
                yield f"taken over, but {row['state']}/{row['phase']}: {row['key']}"
            grants = self.rows("SELECT phase FROM attempt WHERE send = ? AND phase IN ('dot', 'later') ORDER BY id", row["key"])
            if re.search("dot dot", " ".join(grant[0] for grant in grants)):
                yield f"a second dot was granted without a definite no: {row['key']}"
        unknown = set(self.accepted) - {row["key"] for row in self.rows("SELECT key FROM send")}
        yield from (f"taken over without a row: {key}" for key in unknown)

    def files(self) -> Iterator[str]:
        waiting = {row["key"] for row in self.rows("SELECT key FROM draft WHERE state = 'waiting'")}
        review = [key for key, _ in self._in("review")]
        if sorted(review) != sorted(waiting):
            yield f"review/ holds {len(review)} files {sorted(review)}, {len(waiting)} drafts wait {sorted(waiting)}"
        for folder, states in (("sent", ("sent",)), ("held", ("held", "cancelled"))):
            marks = ", ".join("?" * len(states))
            ended = {row["draft"] for row in self.rows(f"SELECT draft FROM send WHERE state IN ({marks})", *states)}
            files = [key for key, kind in self._in(folder) if kind == "Draft"]
            if sorted(files) != sorted(ended):
                yield f"{folder}/ holds {sorted(files)} instead of {sorted(ended)}"
        held = {row["key"] for row in self.rows("SELECT key FROM message WHERE state = 'held'")}
        if held != {key for key, kind in self._in("held") if kind == "Mail"}:
            yield "the held mails are not those in held/"
        for folder in ("approved", "timing"):
            yield from (f"left in {folder}/: {key}" for key, _ in self._in(folder))
        yield from (f"half a file is left: {part}" for part in (self.folder / "outbox").glob("*/.*.part"))

    def _in(self, folder: str) -> list[tuple[str, str]]:
        """The keys of the files of a folder, each with `Draft` or `Mail`; every file must be whole."""
        found = []
        for file in sorted((self.folder / "outbox" / folder).glob("*.eml")):
            text = file.read_text(encoding="utf-8")
            marks = re.findall(r"^X-Winback-(Draft|Mail): ([0-9a-f]+)$", text, re.M)
            whole = marks and (marks[0][0] == "Mail" or "\n> Please cancel" in text)
            found.append((marks[0][1], marks[0][0]) if whole else (f"{file.name} is cut off", "Draft"))
        return found

    def unfinished(self) -> Iterator[str]:
        for table, ends in (
            ("message", ("decided", "held", "ignored")),
            ("draft", ("waiting", "approved", "rejected", "superseded")),
            ("send", ("sent", "held", "cancelled")),
            ("step", ("done", "dropped", "drafted")),
        ):
            for row in self.rows(f"SELECT key, state FROM {table}"):
                if row["state"] not in ends:
                    yield f"{table} {row['key']} is still {row['state']}"
        for row in self.rows("SELECT key FROM draft WHERE state = 'approved' AND key NOT IN (SELECT draft FROM send)"):
            yield f"approved, but nothing was queued: {row['key']}"


def _what(taken: Message) -> tuple[str, str, str]:
    text = taken.get_payload(decode=True)
    kind = text.decode() if taken["List-Unsubscribe"] else "acknowledgment"
    return str(taken["To"]), str(taken["In-Reply-To"]), kind


def essence(folder: Path) -> str:
    """All that decides what a quiet site will do: rows, files, and what the other side has. Fences and counts of tries differ
    after a crash, and so does the log of what happened.
    """
    told = [f"taken {key} {count}" for key, count in sorted(Counter(Outside(folder / "outside").accepted()).items())]
    with closing(sqlite3.connect(folder / "state" / "winback.db")) as db:
        for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall():
            if table in ("attempt", "event", "sqlite_sequence"):
                continue
            names = [row[1] for row in db.execute(f'PRAGMA table_info("{table}")') if row[1] not in ("fence", "attempts")]
            columns = ", ".join(f'"{name}"' for name in names)
            told += sorted(f"{table} {row}" for row in db.execute(f'SELECT {columns} FROM "{table}"'))
    for file in sorted((folder / "outbox").rglob("*")):
        if file.is_file():
            told.append(f"{file.relative_to(folder)} {hashlib.sha256(file.read_bytes()).hexdigest()}")
    return "\n".join(told)
