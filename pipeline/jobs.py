"""What the daemon does, job by job: plain functions over a site. Each is bounded, and doing it twice equals doing it once.

poll     mailbox -> stored mails                 collect  moved files -> approvals, rejections, corrections
work     stored mails -> decisions, drafts       send     queued mails -> the customers
publish  rows -> files in the outbox folder      remind   due steps -> drafts, queued mails, or their end
tidy     old data -> gone                        reissue  drafts whose file is lost -> files again
watch    the breaker -> an alarm                 letter   the week's figures -> the owner's letter
evidence uncertain mails -> found among the sent mail
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from pipeline.core import appointments, flow, followups, report
from pipeline.core.compose import OUR_ID, whole_body
from pipeline.core.figures import LetterRules, Weekly
from pipeline.core.records import (
    Address,
    Appointment,
    Batch,
    Beginning,
    Caps,
    Cursor,
    Draft,
    History,
    Intent,
    Kind,
    Message,
    Plan,
    Raw,
    Reason,
    Receipt,
    Rules,
    Scores,
    Screening,
    Send,
    StepPlan,
    mailbox,
    whole_percent,
)
from pipeline.edges.outbox import Found, shown, titled
from pipeline.errors import Halted, NeedsHuman, Refused, TextRefused, TryLater, Uncertain, Unreachable, Unreadable, WinbackError
from pipeline.store import Correction, Delayed, Finished, Store, StoredDraft

log = logging.getLogger("winback")

T = TypeVar("T")
S = TypeVar("S")

WORK_BATCH = 100
READ_PAGE = 100
SEND_BATCH = 20
LEAST_FREE = 100 << 20
UNSEEN_TOUCH = timedelta(days=30)


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


def poll(site: Site) -> int:
    """Take new mails over, each with the cursor in one commit. Returns how many were new."""
    if site.free_space() < LEAST_FREE:
        raise NeedsHuman(f"{site.folder}: less than {LEAST_FREE >> 20} MB free: no mail is fetched. Make room on the disk")
    store, inbox = site.store, site.inbox
    cursor = store.intake.cursor(inbox.folder) or _begin(site)
    if inbox.epoch() != cursor.epoch:
        cursor = _begin_again(site, cursor)
    new = 0
    for batch in inbox.new(cursor, lambda uids: store.intake.known(inbox.folder, cursor.epoch, uids)):
        new += store.intake.take(batch, site.now())
        # After the commit: a crash here leaves a mark out, the other order would lose the mail.
        inbox.mark([mail.place.uid for mail in batch.mails])
        if site.leaving():
            return new
    store.intake.polled(inbox.folder, site.now())
    return new


def _begin(site: Site) -> Cursor:
    beginning = site.inbox.begin(site.start, site.now())
    site.store.intake.begin(beginning, site.now())
    log.info("first look at %s: starting from UID %s", site.inbox.folder, beginning.cursor.last + 1)
    return beginning.cursor


def _begin_again(site: Site, before: Cursor) -> Cursor:
    """A new epoch: everything since the last good look is read as old mail, so known and unknown alike are never answered."""
    last = site.store.intake.last_poll(site.inbox.folder) or before.old_before
    beginning = site.inbox.begin(last.date(), site.now())
    site.store.intake.begin(beginning, site.now())
    log.warning("%s has a new UIDVALIDITY; mail since %s is looked at again, as drafts only", site.inbox.folder, last.date())
    return beginning.cursor


def work(site: Site) -> int:
    """Read, screen, understand and decide what was taken over. Returns how many mails were decided or held."""
    site = _by_hand(site)
    done = 0
    beside = ThreadPoolExecutor(1, thread_name_prefix="model")
    try:
        for messages, unreadable, heard in _one_ahead(beside, partial(_heard_beforehand, site), _read(site)):
            _decide(site, messages, heard)
            done += len(messages) + unreadable
    finally:
        beside.shutdown(wait=False, cancel_futures=True)  # who is told to leave does not wait for a model that stands still
    return done


def _read(site: Site) -> Iterator[tuple[list[Message], int]]:
    """Batches of mails that could be read, with the count of those between them that could not: these are held."""
    messages: list[Message] = []
    unreadable = 0
    for raw, got in site.reader.read_all(_waiting(site)):
        if isinstance(got, Unreadable):
            log.warning("%s can't be read and is held: %s", raw.key[:8], got)
            site.store.intake.failed(raw.key, str(got), site.now(), final=True)
            unreadable += 1
        else:
            messages.append(got)
        if len(messages) == WORK_BATCH:
            yield messages, unreadable
            messages, unreadable = [], 0
    if messages or unreadable:
        yield messages, unreadable


@dataclass(frozen=True, kw_only=True, slots=True)
class _Heard:
    """What is known of mails, by their keys, before their past is: how they are screened if there is none, and scores."""

    looks: dict[str, Screening] = field(default_factory=dict)
    scores: dict[str, Scores] = field(default_factory=dict)

    def look(self, message: Message, history: History, rules: Rules) -> Screening:
        """How a mail is screened, with its past; looked at again only if that can matter."""
        known = None if flow.tells(history) else self.looks.get(message.key)
        return known or flow.look(message, history, rules)


def _heard_beforehand(site: Site, batch: tuple[list[Message], int]) -> tuple[list[Message], int, _Heard]:
    """A batch with what can be known of it. If the model fails, its mails are asked about again as they are decided."""
    heard = _Heard()
    try:
        heard.looks.update({message.key: flow.look(message, History(), site.rules) for message in batch[0]})
        _score(site, [message for message in batch[0] if flow.matters(heard.looks[message.key])], heard.scores)
    except WinbackError as error:
        log.debug("not scored beforehand: %s", error)
    except Exception:
        log.exception("a batch of %d mails could not be scored beforehand", len(batch[0]))
    return *batch, heard


def _one_ahead(beside: Executor, make: Callable[[T], S], items: Iterable[T]) -> Iterator[S]:
    """What `make` makes of each item, in their order: the next is made while the caller works on this one."""
    ahead: Future[S] | None = None
    for item in items:
        ready, ahead = ahead, beside.submit(make, item)
        if ready:
            yield ready.result()
    if ahead:
        yield ahead.result()


def _by_hand(site: Site) -> Site:
    """The site; while the breaker is open, one whose answers all wait for a person."""
    if not site.store.control.breaker():
        return site
    answers = replace(site.rules.answers, acknowledgments="review", follow_ups="review")
    return replace(site, rules=replace(site.rules, answers=answers))


def _waiting(site: Site) -> Iterator[Raw]:
    """The mails that wait, page by page: the reader reads ahead while others are being decided."""
    last: Raw | None = None
    while not site.leaving():
        page = site.store.intake.received(READ_PAGE, last)
        if not page:
            return
        yield from page
        last = page[-1]


def _decide(site: Site, messages: Sequence[Message], heard: _Heard) -> None:
    """Decide a batch. When one of its mails breaks more than its own part, each is decided alone: only that one fails."""
    try:
        _decide_together(site, messages, heard)
    except Exception as error:
        if isinstance(error, WinbackError) and not isinstance(error, Unreadable):
            raise
        if len(messages) == 1:
            log.exception("%s failed%s", messages[0].key[:8], _failed(site, messages[0], error))
            return
        log.exception("a batch of %d mails failed; they are decided one by one", len(messages))
        for message in messages:
            _decide(site, [message], heard)


def _decide_together(site: Site, messages: Sequence[Message], heard: _Heard) -> None:
    """Decide a batch. A sender's second draft is made only when the first is written: each must know what came before."""
    _obey_tickets(site, messages)
    put_off = _decide_part(site, messages, heard)
    while put_off:
        _decide_part(site, [waiting[0] for waiting in put_off], heard)
        put_off = [waiting[1:] for waiting in put_off if waiting[1:]]


def _obey_tickets(site: Site, messages: Sequence[Message]) -> None:
    """Who shows a ticket of ours is never written to again, whoever wrote the mail and whatever else it says."""
    for message in messages:
        ticket = flow.ticket_in(message)
        if ticket and site.store.people.unsubscribe(ticket, site.now()):
            log.info("%s ends follow-ups by its ticket", message.key[:8])


def _decide_part(site: Site, messages: Sequence[Message], heard: _Heard) -> list[list[Message]]:
    """Decide mails, and give those back, sender by sender, that must wait for an earlier one of their sender."""
    histories = site.store.past.of_messages(messages)
    looks = [heard.look(message, history, site.rules) for message, history in zip(messages, histories, strict=True)]
    _score(site, [message for message, look in zip(messages, looks, strict=True) if flow.matters(look)], heard.scores)
    now = site.now()
    free = free_times(site, now)
    plans: list[Plan] = []
    answered: set[str] = set()
    put_off: dict[str, list[Message]] = {}
    for message, look, history in zip(messages, looks, histories, strict=True):
        sender = mailbox(message.sender.key) if message.sender else message.key
        if sender in put_off:
            put_off[sender].append(message)
            continue
        plan = _plan(site, message, look, heard.scores.get(message.key), history, now, free)
        if plan is None:
            continue
        if plan.draft and sender in answered:
            put_off[sender] = [message]
            continue
        if plan.draft:
            answered.add(sender)
        plans.append(plan)
    _evidence(site, histories, now)
    site.store.plans.decided(plans, now)
    for plan in plans:
        _log(plan)
    return list(put_off.values())


def _score(site: Site, messages: Sequence[Message], scores: dict[str, Scores]) -> None:
    """Ask the model, in one batch, about those mails that it was not asked about before."""
    asked = [message for message in messages if message.key not in scores]
    if asked:
        got = site.model.score([flow.words(message) for message in asked])
        scores.update(zip((message.key for message in asked), got, strict=True))


def free_times(site: Site, now: datetime) -> Sequence[datetime]:
    """The next times that may be offered: those of the calendar of availability that nobody has booked meanwhile."""
    slots = site.free(now)
    return appointments.free_slots(slots, site.store.bookings.all(now), now) if slots else ()


def _plan(
    site: Site,
    message: Message,
    look: Screening,
    score: Scores | None,
    history: History,
    now: datetime,
    free: Sequence[datetime],
) -> Plan | None:
    try:
        return flow.answer(message, look, score, history, site.rules, now, site.texts, site.store.keys.stamp, free)
    except Exception as error:
        log.exception("%s failed%s", message.key[:8], _failed(site, message, error))
        return None


def _failed(site: Site, message: Message, error: Exception) -> str:
    """One mail's trouble must not stop the others; the third time it is held for a person. Returns how the log goes on."""
    held = site.store.intake.failed(message.key, f"{type(error).__name__}: {error}", site.now())
    return " three times and is held" if held else ""


def _evidence(site: Site, histories: Sequence[History], now: datetime) -> None:
    """A mail that answers or returns a mail of ours proves that it was delivered (reliability rule E3)."""
    for key in (history.replies_to for history in histories):
        if key and site.store.sends.proved(key, "a later mail refers to it", now):
            log.info("%s was delivered after all: a later mail refers to it", key)


def _log(plan: Plan) -> None:
    verdict, decision = plan.verdict, plan.decision
    what = f"{verdict.intent}/{verdict.reason or '-'} {whole_percent(verdict.confidence)}%" if verdict else "-"
    log.info("%s %s (%s): %s", plan.message.key[:8], decision.outcome, decision.cause or decision.template, what)


def publish(site: Site) -> int:
    """Bring the outbox folder up to date with the rows. Returns how many files changed."""
    now, sender = _business_time(site), site.rules.business.sender
    changed = 0
    while waiting := site.store.drafts.to_publish(WORK_BATCH):
        names = site.outbox.publish([stored.draft for stored in waiting], sender, now)
        # After a crash in between they are published again, under the same names.
        site.store.drafts.published([(stored.draft.key, name) for stored, name in zip(waiting, names, strict=True)])
        changed += len(waiting)
    for stored in site.store.drafts.to_withdraw():
        site.outbox.discard(stored.draft.key)
        site.store.drafts.withdrawn([stored.draft.key])
        changed += 1
    for mail in site.store.drafts.held_to_show():
        who = Address(name=mail.name or "", address=mail.sender or "")
        site.outbox.keep(mail.key, who.name or who.address, mail.data or b"", why_held(mail.reason), now)
        site.store.drafts.held_shown([mail.key])
        changed += 1
    return changed + _publish_sent(site, now)


def reissue(site: Site) -> int:
    """Let waiting drafts whose file is nowhere in the outbox have one again. Returns how many; `publish` writes them."""
    shown_once = [stored.draft.key for stored in site.store.drafts.waiting() if stored.file]
    lost = site.outbox.missing(shown_once)
    site.store.drafts.lost(lost)
    if lost:
        log.warning("%d drafts have no file any more and get a new one", len(lost))
    return len(lost)


def _business_time(site: Site) -> datetime:
    """Now, as the clock on the wall of the business shows it: its date stands in the names of files."""
    return site.now().astimezone(ZoneInfo(site.rules.business.timezone))


def _publish_sent(site: Site, now: datetime) -> int:
    ended = site.store.sends.to_show()
    for finished in ended:
        folder = "sent" if finished.state == "sent" else "held"
        stored = site.store.drafts.get(finished.draft)
        if stored is not None:
            cause = _what_to_do(finished) if folder == "held" else None
            site.outbox.store_sent(stored.draft, site.rules.business.sender, now, folder, cause)
        site.store.sends.shown([finished.key])
    return len(ended)


def _what_to_do(finished: Finished) -> str:
    """Why a mail did not go out, and what a person can do about it."""
    cause = (finished.cause or "nobody knows why").rstrip(". ")
    if finished.state == "cancelled":
        return f"cancelled ({cause}): it was not sent and won't be. If the customer must be told, a person should"
    if finished.uncertain:
        return f"{cause}. If it did not arrive, say `winback retry {finished.key}`; if it did, there is nothing to do"
    return f"{cause}. To send it after all, mend that, then move this file to approved/ or say `winback retry {finished.key}`"


_HELD = {
    "unreadable": "this mail can't be read by winback: open it in your mail program and answer it yourself",
    "poison": "winback failed three times on this mail: open it in your mail program, and tell your admin",
    "unsure": "winback is not sure whether this is a cancellation: move it into the folder of its reason, or answer it",
    "trouble": "no cancellation, but somebody tells of grief, illness, hardship or a lawyer: a person should read it",
    "calendar": "a calendar answer that cancels: winback answers no calendar mail, a person should",
    "suppressed": "the writer does not want mail from winback: a person should answer",
    "spoofed": "the sender may be forged: check before you answer",
    "spam": "marked as spam, but reads like a cancellation: check before you answer",
    "no_reply": "a machine tells of a cancellation: there is nobody to answer, but look at it",
    "role": "reads like a cancellation, but comes from an account such as postmaster or billing, not from a person: look who"
    " wants to cancel, and answer that person yourself",
    "not_to_us": "reads like a cancellation, but is to none of your addresses: if it is to an alias or an old address of yours,"
    " add that to inbox.own_addresses in config.yaml, so that the next ones are answered; this one you can move into the folder"
    " of its reason",
    "no_recipient": "reads like a cancellation, but names no recipient, as mails to many do: if it is meant for you, move it"
    " into the folder of its reason, or answer it",
    "no_sender": "reads like a cancellation, but its sender is missing, broken or more than one: find out who wrote, and answer"
    " yourself",
    "null_sender": "reads like a cancellation, but was sent in a way that takes no answer, as notices of programs are: look who"
    " wants to cancel, and write to that person yourself",
    "mailing": "reads like a cancellation, but looks like a mailing to many: if a customer wrote it, move it into the folder of"
    " its reason, or answer it",
    "deep_thread": "reads like a cancellation, far down in a long exchange of mails: a person knows that matter, and should"
    " answer",
    "challenge": "a spam filter of the customer asks you to prove that you are a person: follow its link if you know them, or"
    " your mails don't reach them",
    "too_big": "this mail was too big to take over: it lies in the mailbox",
    "text_refused": "the text for this answer is broken: tell your admin to run `winback check`",
}


def why_held(reason: str) -> str:
    """What happened to a customer's mail that waits for a person, and what to do."""
    return _HELD.get(reason, f"held: {reason}; a person should look at it")


NOT_SENT_YET = "not sent yet"
DELAY = timedelta(minutes=5)


def collect(site: Site) -> int:
    """Carry out what reps did with the files. Returns how many files were acted on."""
    acted = _bring_back(site)
    problems: dict[str, str] = {}
    for found in site.outbox.scan(site.now()):
        try:
            acted += _collect_one(site, found)
        except _Left as left:
            problems[f"{found.folder}/{found.name}"] = str(left)
        except WinbackError:
            raise
        except Exception as error:  # the files behind it are acted on whatever this one brought to light
            log.exception("%s/%s failed", found.folder, found.name)
            problems[f"{found.folder}/{found.name}"] = f"winback fails on it ({type(error).__name__}: {error}): tell your admin"
    site.outbox.complain(problems)
    _tell_of_delay(site)
    return acted


def _bring_back(site: Site) -> int:
    """Waiting drafts that slipped into sent/ or held/ lie in review/ again. Returns how many."""
    # When an older copy of the store was restored, a draft that waits may have been sent: its file stays until a person looked.
    if site.store.control.restored():
        return 0
    back = 0
    for key, folder, name in site.outbox.astray(site.store.drafts.waiting_keys()):
        if site.outbox.places([key]):
            continue  # a copy: the draft itself lies where it can be worked on
        site.outbox.settle(name, folder, "review", now=_business_time(site))
        log.warning("%s still waits and lay in %s/, where winback alone puts files: it is in review/ again", key[:8], folder)
        back += 1
    return back


def _tell_of_delay(site: Site) -> None:
    """Keep a note while mails that reps released are not sent yet: how many, and why."""
    delayed = site.store.sends.delayed(site.now() - DELAY)
    if not delayed:
        site.outbox.clear_note(NOT_SENT_YET)
        return
    lines = [f"{each.count} because {_why_delayed(site, each)}" for each in delayed]
    total = sum(each.count for each in delayed)
    site.outbox.note(NOT_SENT_YET, "\n".join([f"approved mails that are not sent yet: {total}; none is lost", *lines]))


def _why_delayed(site: Site, delayed: Delayed) -> str:
    if site.stopped() or site.store.control.stopped():
        return "sending is stopped, until somebody says `winback resume`"
    zone, now = ZoneInfo(site.rules.business.timezone), site.now()
    open_again = followups.allowed(now, site.rules)
    if not delayed.cause and open_again > now:
        return f"follow-ups wait for business hours, from {open_again.astimezone(zone):%Y-%m-%d %H:%M} on"
    why = _ADDRESS.sub("...@...", delayed.cause or "their turn has not come: is the daemon running?")
    return f"{why} (tried again from {max(delayed.next_try, now).astimezone(zone):%Y-%m-%d %H:%M} on)"


class _Left(Exception):
    """A moved file that can't be acted on as it is: it stays where it lies, and a note says why."""


def _collect_one(site: Site, found: Found) -> bool:
    if found.problem:
        raise _Left(_fresh_copy(site, found) or found.problem)
    if found.draft_key is None:
        return _correct_held(site, found)
    stored = site.store.drafts.get(found.draft_key)
    if stored is None:
        raise _Left(_fresh_copy(site, found) or "its draft is not known here; it is left alone")
    if found.folder == "approved":
        return _approve_file(site, stored, found)
    if found.folder == "rejected":
        return _reject_file(site, stored, found)
    return _correct_file(site, stored, found)


def _fresh_copy(site: Site, found: Found) -> str | None:
    """What to tell of a file that is no draft for certain, when waiting ones are meant: each gets a file again. Else None."""
    if found.mail_key or (found.draft_key and site.store.drafts.get(found.draft_key)):
        return None
    known = [stored for key in found.several if (stored := site.store.drafts.get(key))]
    known += site.store.drafts.find(found.named) if found.named else []
    waiting = [stored.draft.key for stored in known if stored.state == "waiting"]
    if not waiting:
        return None
    site.store.drafts.lost(site.outbox.missing(waiting))
    places = {place for place in site.outbox.places(waiting).values() if place != "review"}
    what = "it holds more than one draft" if found.several else "its last header line is missing or damaged"
    if places:
        return f"{what}; the draft itself lies in {'/ and '.join(sorted(places))}/: delete this"
    return f"{what}; a fresh copy lies in review/: use that one and delete this"


def _approve_file(site: Site, stored: StoredDraft, found: Found) -> bool:
    try:
        released = approve(site, stored, found.text, found.subject, by="outbox")
    except TextRefused as error:
        raise _Left(str(error)) from error
    if not released and stored.state != "approved":
        site.outbox.settle(found.name, found.folder, "held", cause=_too_late(stored), now=_business_time(site))
        return True
    if not released:
        _approve_again(site, stored, found)
    # The row has it: what is in the file now changes nothing any more, and its copy in sent/ comes from the row.
    site.outbox.remove(found.folder, found.name)
    return True


def _approve_again(site: Site, stored: StoredDraft, found: Found) -> None:
    """What a rep wants of a mail that was released before: one that is held is tried again, unless it may have arrived."""
    draft, last = stored.draft, site.store.sends.last(stored.draft.key)
    if last is None:
        return  # it is on its way, or nobody knows yet whether it arrived
    if last.state == "sent":
        log.info("%s lies in approved/ and was sent before: it is not sent again", draft.key[:8])
        site.store.sends.unshown(last.key)  # perhaps this is its file from sent/
        return
    if last.state == "cancelled":
        raise _Left(f"not sent: it was cancelled before ({last.cause}). If the customer must be told, a person should")
    if last.uncertain:
        why = "it may have reached the customer, nobody knows: look whether it arrived"
        raise _Left(f"not sent again: {why}. If it did not, say `winback retry {last.key}`; if it did, delete this file")
    if (found.text, found.subject or titled(draft)) != (shown(draft), titled(draft)):
        why = "it can be sent only as it was approved before, and this file has other words"
        raise _Left(f"not sent: {why}. Say `winback retry {last.key}` to send the old ones, or send yours by yourself")
    if site.store.sends.again(draft.key, "a rep moved it to approved/", site.now()):
        log.info("%s was held and is approved again", last.key)


def _too_late(stored: StoredDraft) -> str:
    return f"not sent: this draft was {stored.state} before ({stored.by})"


def _reject_file(site: Site, stored: StoredDraft, found: Found) -> bool:
    if stored.state == "waiting":
        site.store.drafts.reject(stored.draft.key, by="outbox", now=site.now())
        log.info("%s rejected by a rep", stored.draft.key[:8])
        return True
    return False


def _correct_file(site: Site, stored: StoredDraft, found: Found) -> bool:
    done = correct(site, stored.draft.case, found.folder, by="outbox")
    if not done:
        raise _Left(f"{why_not_corrected(site, stored.draft.case, stored.draft)}; move it back")
    end = _END.get(site.store.drafts.send_state(stored.draft.key) or "")
    if end:
        # What became of the mail does not change with the reason: its file goes back to where it came from.
        site.outbox.settle(found.name, found.folder, end, now=_business_time(site))
    else:
        site.outbox.remove(found.folder, found.name)
    return True


_END = {"sent": "sent", "held": "held"}


def _correct_held(site: Site, found: Found) -> bool:
    if found.mail_key is None or found.folder in ("approved", "rejected"):
        return False
    if not correct(site, found.mail_key, found.folder, by="outbox"):
        raise _Left(f"{why_not_corrected(site, found.mail_key)}; answer it from your mail program, and delete this file")
    site.outbox.remove(found.folder, found.name)
    return True


def why_not_corrected(site: Site, mail_key: str, draft: Draft | None = None) -> str:
    """Why `correct` could do nothing."""
    if draft and draft.kind is Kind.LETTER:
        return "the letter to the owner answers no mail, so there is no reason to change"
    if draft and draft.template.startswith("no_show"):
        return "a note to who did not come answers no mail, so there is no reason to change"
    if site.store.intake.raw(mail_key) is None:
        return "its mail is not stored any more, so its reason can't be changed"
    return "its mail is stored, but winback can't read it, so it can write no answer"


def approve(site: Site, stored: StoredDraft, body: str | None, subject: str | None, *, by: str) -> bool:
    """Release a waiting draft, edited or not. False when it was settled before. Raises TextRefused."""
    draft = stored.draft
    text = whole_body(draft) if body is None else body
    title = subject or draft.subject
    edited = body is not None and (body != shown(draft) or title != draft.subject)
    if edited and _cut_off(text, draft):
        raise TextRefused("the text ends in the middle, as if the file was only half saved: save it again")
    doubts = flow.doubts(draft, text, site.rules) if edited else ()
    mail = flow.approve(draft, text, title, site.rules, site.now(), site.store.keys.stamp)
    words = (title, text) if edited else None
    # A rep may know more than the rules: the words go as they are, and what they break is written down.
    done = site.store.drafts.approve(draft.key, mail, words, by=by, now=site.now(), remark="; ".join(doubts))
    if done:
        log.info("%s approved by %s%s", draft.key[:8], by, ", edited" if edited else "")
    if done and doubts:
        log.warning("%s went out as a rep has edited it, although %s", draft.key[:8], "; ".join(doubts))
    return done


def _cut_off(text: str, draft: Draft) -> bool:
    """A beginning of our own text that stops before its end is half a file, not an edit; the quote may be left out."""
    words, ours = text.strip(), draft.text.strip()
    return words != ours and ours.startswith(words) and len(words) < len(ours)


def reject(site: Site, stored: StoredDraft, *, by: str) -> bool:
    """Say no to a waiting draft. False when it was settled before."""
    done = site.store.drafts.reject(stored.draft.key, by=by, now=site.now())
    if done:
        site.outbox.discard(stored.draft.key)
    return done


def correct(site: Site, mail_key: str, to: str, *, by: str) -> bool:
    """Say what a mail really is: a reason, `reschedule` or `not_a_cancellation`. False when it can't be answered."""
    raw = site.store.intake.raw(mail_key)
    if raw is None:
        return False
    message = next(iter(site.reader.read_all([raw])))[1]
    if isinstance(message, Unreadable):
        return False
    intent, reason = _meaning(to)
    old = site.store.plans.verdict_of(mail_key)
    history = site.store.past.of_messages([message])[0]
    plan = flow.answer_as(
        message,
        flow.corrected(old, intent, reason),
        history,
        site.rules,
        site.now(),
        site.texts,
        site.store.keys.stamp,
        site.store.plans.revision(mail_key),
        free_times(site, site.now()),
        over=site.store.plans.over(mail_key),
    )
    site.store.plans.corrected(plan, Correction(intent=intent, reason=reason, by=by), site.now())
    log.info("%s corrected by a rep: %s", mail_key[:8], to)
    return True


def _meaning(to: str) -> tuple[Intent, Reason | None]:
    if to == "not_a_cancellation":
        return Intent.NONE, None
    if to == "reschedule":
        return Intent.RESCHEDULE, None
    return Intent.CANCEL, Reason(to)


def send(site: Site) -> int:
    """Hand over what is queued, one mail after the other, within the caps. Returns how many were sent."""
    _resolve(site)
    if site.stopped():
        return 0
    if site.store.control.restored():
        raise Halted(
            "an older copy of the store was restored, and mails went out since that it does not know of: nothing is sent."
            " See what is queued (`winback status`, outbox/), then say `winback resume`"
        )
    now = site.now()
    quiet = followups.allowed(now, site.rules) > now
    mails = site.store.sends.claim(SEND_BATCH, site.owner, site.caps, now, quiet=quiet)
    if not mails:
        return 0
    sent = 0
    left = list(mails)
    try:
        with site.delivery.session() as session:
            while left and not site.leaving():
                sent += _send_one(site, session, left[0])
                left.pop(0)
    finally:
        # Whatever ended the session: what did not get to its final dot waits as if it had never been claimed.
        for mail in left:
            site.store.sends.release(mail, "the connection ended before its turn", site.now())
    return sent


def evidence(site: Site) -> int:
    """Look for uncertain mails among the sent mail of an account that is known to file it. Returns how many were settled."""
    if not site.store.control.files_sent(site.inbox.folder):
        return 0
    settled = 0
    for mail in site.store.sends.uncertain_sends():
        stamp = site.store.keys.stamp(mail.key)
        if site.inbox.find(OUR_ID, stamp, sent=True) is not None:
            settled += site.store.sends.proved(mail.key, "found among the sent mail", site.now())
    return settled


def _send_one(site: Site, session: Session, mail: Send) -> bool:
    store = site.store.sends

    def may_finish() -> bool:
        return not site.stopped() and store.may_finish(mail, site.now())

    try:
        receipt = session.deliver(mail, site.rules.business.sender.address, may_finish)
    except Unreachable:
        raise  # the mail was not even spoken of, and the next one would wait for nothing as well
    except TryLater as error:
        store.later(mail, str(error), site.now())
        log.warning("%s is tried again later: %s", mail.key, _masked(error))
        return False
    except Refused as error:
        store.refused(mail, str(error), site.now())
        log.warning("%s was refused and is held: %s", mail.key, _masked(error))
        return False
    except Uncertain as error:
        store.uncertain(mail, str(error), site.now())
        log.error("%s may have been sent, nobody knows: %s", mail.key, _masked(error))
        return False
    if receipt is None:
        store.release(mail, "stopped or overtaken before the final dot", site.now())
        return False
    store.sent(mail, f"{receipt.code} {receipt.reply}", site.now())
    log.info("%s sent", mail.key)
    return True


_ADDRESS = re.compile(r"[^\s<>\"'(]+@[^\s<>\"');,:]+")


def _masked(error: Exception) -> str:
    """A server's words for the log: customers' addresses are for the store alone."""
    return _ADDRESS.sub("...@...", str(error))


def _resolve(site: Site) -> None:
    """Settle uncertain sends by what the delivery can prove; those without proof are held for a person in time."""
    site.store.sends.recover(site.now(), everything=False)
    for mail in site.store.sends.uncertain_sends():
        proof = site.delivery.delivered(mail)
        if proof:
            site.store.sends.proved(mail.key, "found where it was delivered", site.now())
        elif proof is False:
            site.store.sends.disproved(mail.key, "proved not to have been delivered", site.now())
    site.store.sends.give_up_waiting(site.now())


def remind(site: Site) -> int:
    """Take the steps whose time has come through the core again, with fresh history. Returns how many were looked at."""
    site, now = _by_hand(site), site.now()
    site.store.drafts.expire_touches(UNSEEN_TOUCH, now)
    due, keys = site.store.plans.due_steps(WORK_BATCH, now), site.store.keys
    trouble: list[str] = []
    for step, case in due:
        history = site.store.past.of_address(step.address)
        try:
            plan = flow.remind(step, case, history, site.rules, now, site.texts, keys.stamp, keys.ticket, site.content)
        except WinbackError:
            raise
        except Exception as error:  # those behind it are due as well
            log.exception("touch %s of %s failed", step.number, step.case[:8])
            plan = StepPlan(
                step=step, trouble=f"touch {step.number} of {step.case[:8]} fails ({type(error).__name__}: {error})"
            )
        if plan.trouble:
            trouble.append(plan.trouble)
            continue
        site.store.plans.step(plan, now)
        log.info("touch %s of %s: %s", step.number, step.case[:8], plan.dropped or plan.moved_to or "drafted")
    if trouble:
        raise NeedsHuman(f"follow-ups wait until this is mended: {'; '.join(sorted(set(trouble)))}")
    return len(due)


def watch(site: Site) -> int:
    """Raise Halted, which is an alarm, while nothing goes out by itself."""
    found = site.store.control.breaker()
    if found:
        raise Halted(
            f"{found[0]}: nothing goes out by itself since {found[1]:%Y-%m-%d %H:%M} UTC, all answers are drafts."
            " See what was sent (outbox/sent), then say `winback resume`"
        )
    return 0


def letter(site: Site) -> int:
    """Write the owner's letter on the last week when it is due, once for each week. Returns how many were written."""
    if site.letters.weekly is Weekly.NEVER:
        return 0
    timezone, letters = site.rules.business.timezone, site.store.letters
    week = report.week(site.letters, timezone, site.now())
    if letters.written(flow.letter_key(week.end)) or letters.began() >= week.end:
        return 0
    figures = report.figures(site.store.report.facts(week), week, timezone, site.letters.currency)
    draft, mail = flow.letter(figures, site.letters, site.rules, site.now(), site.store.keys.stamp)
    written = letters.write(draft, mail, site.now())
    log.info("the letter on the week up to %s is written", week.end.date())
    return int(written)


def tidy(site: Site) -> int:
    """Take away what is older than privacy allows. Returns how many things went."""
    emptied, forgotten = site.store.overview.tidy(site.keep_raw, site.keep_history, site.now())
    return emptied + forgotten + site.outbox.tidy(site.now() - site.keep_raw)
