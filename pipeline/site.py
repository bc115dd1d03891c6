"""What a site is: its store and rules, and the edges of the outside world that are passed in, as the jobs see them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Protocol

from pipeline.core import flow
from pipeline.core.figures import LetterRules
from pipeline.core.records import (
    Address,
    Appointment,
    Batch,
    Beginning,
    Caps,
    Cursor,
    Draft,
    Message,
    Raw,
    Receipt,
    Rules,
    Scores,
    Send,
)
from pipeline.edges.outbox import Found
from pipeline.errors import Unreadable
from pipeline.store import Store


class Inbox(Protocol):
    """A mailbox folder that mails are taken from."""

    folder: str

    def begin(self, start: str | date, now: datetime) -> Beginning:
        """Look for the first time."""

    def new(self, cursor: Cursor, known: Callable[[Sequence[str]], set[str]]) -> Iterator[Batch]:
        """Give the mails after the cursor, batch by batch."""

    def epoch(self) -> str:
        """Tell the folder's epoch; UIDs mean nothing across two of them."""

    def wait(self, seconds: float) -> bool:
        """Wait until something may have arrived."""

    def mark(self, uids: Sequence[str]) -> None:
        """Mark mails as taken over; cosmetic."""

    def find(self, header: str, value: str, *, sent: bool = False) -> str | None:
        """Give the Message-ID of a mail with this header, in the folder or among the account's sent mail, or None."""

    def check(self) -> str:
        """Say in a sentence whether the folder can be read."""

    def close(self) -> None:
        """Let go."""


class Session(Protocol):
    """A connection that mails go out by."""

    def deliver(self, send: Send, sender: str, may_finish: Callable[[], bool]) -> Receipt | None:
        """Hand over one mail; None when `may_finish` said no."""


class Delivery(Protocol):
    """Where mails go out."""

    def session(self) -> AbstractContextManager[Session]:
        """Open a connection for some mails."""

    def delivered(self, send: Send) -> bool | None:
        """Say whether this mail went out earlier, or None when that can't be known."""

    def check(self) -> str:
        """Say in a sentence whether mails can be sent."""


class Reader(Protocol):
    """Reads raw mails where they can do no harm."""

    def read_all(self, raws: Iterable[Raw]) -> Iterator[tuple[Raw, Message | Unreadable]]:
        """Give each mail as a message, or why it can't be read."""


class Model(Protocol):
    """Texts in, probabilities out."""

    def score(self, texts: Sequence[str]) -> list[Scores]:
        """Score a batch of texts."""


class Outbox(Protocol):
    """The reps' folder."""

    def publish(self, drafts: Sequence[Draft], sender: Address, now: datetime) -> list[str]:
        """Write drafts' files into review/ and give their names."""

    def scan(self, now: datetime) -> list[Found]:
        """List the files that reps moved."""

    def settle(self, name: str, from_folder: str, to_folder: str, *, cause: str | None = None, now: datetime) -> str:
        """Move a file to where it ends."""

    def store_sent(self, draft: Draft, sender: Address, now: datetime, folder: str, cause: str | None = None) -> str:
        """Write the file of a mail that never was in review/."""

    def keep(self, key: str, name: str, data: bytes, cause: str, now: datetime) -> str:
        """Write a customer's mail that waits for a person into held/."""

    def discard(self, key: str, folder: str = "review") -> None:
        """Take the file of a superseded draft away, or that of a draft or mail that is not held any more."""

    def erase(self, keys: Collection[str]) -> int:
        """Take every file of these drafts and mails away."""

    def remove(self, folder: str, name: str) -> None:
        """Take one file away."""

    def note(self, name: str, text: str) -> None:
        """Leave a note that a rep sees."""

    def clear_note(self, name: str) -> None:
        """Take the note away."""

    def complain(self, problems: Mapping[str, str]) -> None:
        """Leave a note on each of these files, and take the notes on all others away."""

    def places(self, draft_keys: Collection[str]) -> dict[str, str]:
        """Tell in which folder, of those where reps work, drafts lie."""

    def missing(self, draft_keys: Sequence[str]) -> list[str]:
        """Tell which waiting drafts have no file any more."""

    def astray(self, draft_keys: Sequence[str]) -> list[tuple[str, str, str]]:
        """Tell which waiting drafts lie where only ended ones belong: key, folder and name."""

    def versions(self, draft_key: str) -> list[Found]:
        """Read all files of a draft where reps work."""

    def tidy(self, before: datetime) -> int:
        """Take files away that ended before that moment."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """Everything a job may use.

    `texts` are the templates, `stopped` looks for the stop file, `leaving` says that the daemon ends and no new row should
    be begun, `free_space` gives the bytes left on the disk, `now` is the clock. `calendar` gives the appointments if they have
    changed since `calendar_taken` was last told that they are stored, `free` the times that may be offered, `content` a piece
    that helps to prepare for one.
    """

    store: Store
    rules: Rules
    caps: Caps
    start: str | date
    poll_every: timedelta = timedelta(seconds=60)
    keep_raw: timedelta
    keep_history: timedelta
    inbox: Inbox
    delivery: Delivery
    outbox: Outbox
    reader: Reader
    model: Model
    texts: flow.Texts
    stopped: Callable[[], bool]
    leaving: Callable[[], bool]
    free_space: Callable[[], int]
    owner: str
    now: Callable[[], datetime]
    folder: Path
    calendar: Callable[[datetime], Sequence[Appointment] | None] = lambda now: None
    calendar_taken: Callable[[], None] = lambda: None
    free: Callable[[datetime], Sequence[datetime]] = lambda now: ()
    content: Callable[[str, str], str] = lambda name, language: ""
    letters: LetterRules = field(default_factory=LetterRules)
