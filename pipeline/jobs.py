"""What the daemon does, job by job: plain functions over a site. Each is bounded, and doing it twice equals doing it once.

poll     mailbox -> stored mails
work     stored mails -> decisions, drafts       send     queued mails -> the customers
publish  rows -> files in the outbox folder      remind   due steps -> drafts, queued mails, or their end
tidy     old data -> gone                        reissue  drafts whose file is lost -> files again
watch    the breaker -> an alarm                 letter   the week's figures -> the owner's letter
evidence uncertain mails -> found among the sent mail
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar
from zoneinfo import ZoneInfo

from pipeline.core import appointments, flow, followups, report
from pipeline.core.compose import OUR_ID
from pipeline.core.figures import Weekly
from pipeline.core.records import (
    Address,
    Cursor,
    History,
    Message,
    Plan,
    Raw,
    Rules,
    Scores,
    Screening,
    Send,
    StepPlan,
    mailbox,
    whole_percent,
)
from pipeline.errors import Halted, NeedsHuman, Refused, TryLater, Uncertain, Unreachable, Unreadable, WinbackError
from pipeline.site import Session, Site
from pipeline.store import Finished

log = logging.getLogger("winback")

T = TypeVar("T")
S = TypeVar("S")

WORK_BATCH = 100
READ_PAGE = 100
SEND_BATCH = 20
LEAST_FREE = 100 << 20
UNSEEN_TOUCH = timedelta(days=30)


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
    now, sender = business_time(site), site.rules.business.sender
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


def business_time(site: Site) -> datetime:
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
        log.warning("%s is tried again later: %s", mail.key, masked(error))
        return False
    except Refused as error:
        store.refused(mail, str(error), site.now())
        log.warning("%s was refused and is held: %s", mail.key, masked(error))
        return False
    except Uncertain as error:
        store.uncertain(mail, str(error), site.now())
        log.error("%s may have been sent, nobody knows: %s", mail.key, masked(error))
        return False
    if receipt is None:
        store.release(mail, "stopped or overtaken before the final dot", site.now())
        return False
    store.sent(mail, f"{receipt.code} {receipt.reply}", site.now())
    log.info("%s sent", mail.key)
    return True


_ADDRESS = re.compile(r"[^\s<>\"'(]+@[^\s<>\"');,:]+")


def masked(error: object) -> str:
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
