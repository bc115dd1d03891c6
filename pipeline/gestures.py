"""What reps do with the files of the outbox folder, carried out: approve, reject, correct, by moving or from the terminal."""

from __future__ import annotations

import logging
from datetime import timedelta
from zoneinfo import ZoneInfo

from pipeline.core import flow, followups
from pipeline.core.compose import whole_body
from pipeline.core.records import (
    Draft,
    Intent,
    Kind,
    Reason,
)
from pipeline.edges.outbox import Found, shown, titled
from pipeline.errors import TextRefused, Unreadable, WinbackError
from pipeline.jobs import business_time, free_times, masked
from pipeline.site import Site
from pipeline.store import Correction, Delayed, StoredDraft

log = logging.getLogger("winback")

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
        site.outbox.settle(name, folder, "review", now=business_time(site))
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
    why = masked(delayed.cause or "their turn has not come: is the daemon running?")
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
        site.outbox.settle(found.name, found.folder, "held", cause=_too_late(stored), now=business_time(site))
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
        site.outbox.settle(found.name, found.folder, end, now=business_time(site))
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
