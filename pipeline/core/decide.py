"""Decide what should happen with an understood mail: answer, hold or ignore, with which text, and why. Does nothing itself."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipeline.core.records import (
    AnswerRules,
    ContactState,
    Decision,
    FollowUp,
    History,
    Intent,
    Message,
    Outcome,
    Reason,
    Rules,
    Screening,
    Sensitive,
    Verdict,
    whole_percent,
)

# Checks after which a cancellation still reaches a person's desk, although no mail of ours may answer it.
HELD_IF_CANCELLED = frozenset(
    "calendar suppressed spoofed spam no_reply role not_to_us no_recipient no_sender null_sender mailing deep_thread"
    " challenge".split()
)

# From which confidence on a mail that tells of trouble may pass as no cancellation.
CERTAIN = 0.95

# Checks that mean that somebody else may have written in the sender's name: such words count for nothing.
NOT_BELIEVED = frozenset({"spoofed", "spam"})

# Checks that mean a machine or a stranger wrote: their words neither stop nor start anything.
NOT_A_PERSON = frozenset({"bounce", "own", "loop", "automatic", "list", "receipt", "feedback"})


def answer(message: Message, screening: Screening, verdict: Verdict, history: History, rules: Rules) -> Decision:
    """Say what becomes of a mail. The first row that applies decides; steps are planned by `followups` afterwards."""
    for applies, decision in _ROWS:
        if applies(message, screening, verdict):
            return decision(message, screening, verdict, history, rules)
    raise AssertionError("the last row always applies")


def is_machine(screening: Screening) -> bool:
    """Whether a machine wrote: its words are not worth reading."""
    return screening.is_bounce or screening.check in NOT_A_PERSON


def ignore_machine(screening: Screening) -> Decision:
    """Robots are counted, never answered."""
    cause = "bounce" if screening.is_bounce else screening.check or "automatic"
    return Decision(outcome=Outcome.IGNORE, cause=cause, review=False, why=(f"Screening: {cause}.",))


def ignore_moved() -> Decision:
    """A booking tool tells of a new date: nobody is lost, so there is nobody to win back (playbook B9)."""
    why = ("The notice of a booking tool: the appointment was moved, not cancelled.",)
    return Decision(outcome=Outcome.IGNORE, cause="rescheduled", review=False, why=why)


def _is_machine(message: Message, screening: Screening, verdict: Verdict) -> bool:
    return is_machine(screening)


def _is_too_big(message: Message, screening: Screening, verdict: Verdict) -> bool:
    return screening.check == "too_big"


def _is_nothing(message: Message, screening: Screening, verdict: Verdict) -> bool:
    return verdict.intent is Intent.NONE and not verdict.unsure and not _is_trouble(verdict)


def _is_trouble(verdict: Verdict) -> bool:
    """Somebody is in trouble: a person should see it (B7), unless that is as little certain as it is a cancellation."""
    return verdict.sensitive is not None and (verdict.grave or verdict.intent_confidence < CERTAIN)


def _may_not_answer(message: Message, screening: Screening, verdict: Verdict) -> bool:
    return not screening.may_reply


def _is_unsure(message: Message, screening: Screening, verdict: Verdict) -> bool:
    return verdict.intent is Intent.NONE


def _is_sensitive(message: Message, screening: Screening, verdict: Verdict) -> bool:
    return verdict.sensitive is not None


def _always(message: Message, screening: Screening, verdict: Verdict) -> bool:
    return True


def _ignore_machine(message: Message, screening: Screening, verdict: Verdict, history: History, rules: Rules) -> Decision:
    return ignore_machine(screening)


def _hold_too_big(message: Message, screening: Screening, verdict: Verdict, history: History, rules: Rules) -> Decision:
    why = ("It was too big to take over, so nobody has read it: it lies in the mailbox.",)
    return Decision(outcome=Outcome.HOLD, cause="too_big", review=True, why=why)


def _ignore_nothing(message: Message, screening: Screening, verdict: Verdict, history: History, rules: Rules) -> Decision:
    if verdict.opt_out:
        why = ("The writer wants no more mail; that is obeyed at once.",)
        return Decision(outcome=Outcome.IGNORE, cause="opt_out", review=False, why=why)
    why = (f"Not a cancellation ({whole_percent(verdict.intent_confidence)}% sure).",)
    return Decision(outcome=Outcome.IGNORE, cause="not_a_cancellation", review=False, why=why)


def _hold_unanswerable(message: Message, screening: Screening, verdict: Verdict, history: History, rules: Rules) -> Decision:
    cause = screening.check or "may_not_reply"
    if cause not in HELD_IF_CANCELLED:
        return Decision(outcome=Outcome.IGNORE, cause=cause, review=False, why=(f"Screening: {cause}.",))
    why = (f"Reads like a {_noun(verdict)}, but must not be answered by mail: {cause}.", "A person should look at it.")
    return Decision(outcome=Outcome.HOLD, cause=cause, review=True, why=why)


def _hold_unsure(message: Message, screening: Screening, verdict: Verdict, history: History, rules: Rules) -> Decision:
    if verdict.grave and not verdict.unsure:
        why = (f"No cancellation, but it tells of trouble ({verdict.sensitive}): a person should read it.",)
        return Decision(outcome=Outcome.HOLD, cause="trouble", review=True, why=why)
    why = ("Perhaps a cancellation, perhaps not: a person should look at it.",)
    return Decision(outcome=Outcome.HOLD, cause="unsure", review=True, why=why)


def _answer_sensitive(message: Message, screening: Screening, verdict: Verdict, history: History, rules: Rules) -> Decision:
    template = f"sensitive_{_care(verdict.sensitive)}"
    why = (f"Sensitive ({verdict.sensitive}): a person decides, no offer, no follow-up.",)
    return Decision(outcome=Outcome.ANSWER, template=template, review=True, why=why)


def _answer(message: Message, screening: Screening, verdict: Verdict, history: History, rules: Rules) -> Decision:
    doubts = reasons_for_review(message, screening, verdict, history, rules.answers)
    review = bool(doubts)
    reason = f", reason: {verdict.reason}" if verdict.reason else ""
    said = f"{_noun(verdict).capitalize()} ({whole_percent(verdict.confidence)}% sure){reason}."
    last = f"Goes to review: {'; '.join(doubts)}." if review else "Sure, and nothing forbids it: goes out at once."
    return Decision(outcome=Outcome.ANSWER, template=template_of(verdict), review=review, why=(said, last))


_ROWS = (
    (_is_machine, _ignore_machine),  # robots are counted, never answered
    (_is_too_big, _hold_too_big),  # unread, so it may be anything
    (_is_nothing, _ignore_nothing),  # the bulk of a mailbox
    (_may_not_answer, _hold_unanswerable),  # a real cancellation that mail may not answer
    (_is_unsure, _hold_unsure),  # unsure whether it is one at all
    (_is_sensitive, _answer_sensitive),  # playbook B7: fails closed
    (_always, _answer),
)


def reasons_for_review(
    message: Message, screening: Screening, verdict: Verdict, history: History, rules: AnswerRules
) -> tuple[str, ...]:
    """Why this acknowledgment must wait for a rep; empty when it may go out at once."""
    recent = history.last_automatic is not None and message.arrived - history.last_automatic < rules.rest
    table = (
        (rules.acknowledgments != "when_sure", "acknowledgments are set to review"),
        (verdict.unsure, "the reading is unsure"),
        (verdict.confidence < rules.sure_at, f"{whole_percent(verdict.confidence)}% is below {rules.sure_at:.0%}"),
        (_repeats_itself(message), "it says the same words again and again"),
        (verdict.sensitive is not None, f"sensitive: {verdict.sensitive}"),
        (verdict.delicate is not None, f'"{verdict.delicate}" may tell of grief, illness or other trouble'),
        (verdict.reason is Reason.SERVICE, "a complaint about service is always for a person"),
        (not screening.authenticated, "no trusted server vouches for the sender"),
        (screening.doubt is not None, screening.doubt or ""),
        (message.old, "it came before winback was started"),
        (_asks_more(verdict), "it asks something that wants an answer"),
        (verdict.opt_out, "it asks for no more mail"),
        (verdict.asked is not None, "it answers a question of ours, and a person should read the answer"),
        (history.answered_thread, "this conversation had an automatic answer already"),
        (recent, f"this customer had an automatic answer within the last {rules.rest.days} days"),
    )
    told = screening.doubt or ""  # screening tells some of the same in a sentence of its own
    return tuple(dict.fromkeys(text for applies, text in table if applies and (text == told or text not in told)))


def _repeats_itself(message: Message) -> bool:
    """Somewhere more than half of its words were said just before: they are meant for a program (reliability rule C16).

    In a hundred words of what people write at least sixty are different ones, in a short mail still more.
    """
    words = _WORD.findall(f"{message.subject} {message.text}"[:_SEARCHED].lower())
    stretches = (words[at : at + _STRETCH] for at in range(0, max(1, len(words) - _STRETCH // 2), _STRETCH // 2))
    return any(len(stretch) >= _FEWEST and 2 * len(set(stretch)) < len(stretch) for stretch in stretches)


_WORD = re.compile(r"\w+")
_SEARCHED = 20_000  # characters; nothing longer is answered by itself
_STRETCH = 100  # words
_FEWEST = 12


def _asks_more(verdict: Verdict) -> bool:
    """A wish for another date is a question by nature, and its answer is the text itself."""
    return verdict.question and verdict.intent is Intent.CANCEL


def template_of(verdict: Verdict) -> str:
    """The name of the acknowledgment for a verdict. Who answers a question of ours is thanked and not asked again."""
    if verdict.intent is Intent.RESCHEDULE:
        return "reschedule"
    if verdict.asked:
        return "told_why_service" if verdict.reason is Reason.SERVICE else "told_why"
    if ended := _BY_SUBREASON.get(verdict.subreason or ""):
        return ended
    return "firm" if verdict.firm and verdict.reason in _NOT_ASKED_WHEN_FIRM else f"{verdict.reason}"


# The door stays open, but nobody is asked to come back to what has ended (playbook C).
_BY_SUBREASON: Mapping[str, str] = {
    "need_ended": "ended",
    "moved": "ended",
    "closing": "ended",
    "wrong_person": "wrong_person",
    "competitor": "competitor",
}


# Who has decided is not asked again (playbook S4.6). A complaint still gets its apology, and a date its answer.
_NOT_ASKED_WHEN_FIRM = frozenset({Reason.PRICE, Reason.OTHER, Reason.UNSPECIFIED})


def _care(kind: Sensitive | None) -> str:
    return "grief" if kind is Sensitive.BEREAVEMENT else "care" if kind in _CARE else "human"


_CARE = frozenset({Sensitive.ILLNESS, Sensitive.HARDSHIP})


def _noun(verdict: Verdict) -> str:
    return "wish for another date" if verdict.intent is Intent.RESCHEDULE else "cancellation"


def contact_state(verdict: Verdict, decision: Decision, planned: tuple[FollowUp, ...]) -> ContactState | None:
    """Where the sender stands after this mail, or None when nothing changes."""
    if decision.outcome is not Outcome.ANSWER:
        return None
    if verdict.opt_out:
        return ContactState.SUPPRESSED
    if verdict.intent is Intent.RESCHEDULE:
        return ContactState.RESCHEDULED
    return ContactState.IN_FOLLOW_UP if planned else ContactState.CLOSED


def stop_cause(message: Message, screening: Screening, verdict: Verdict | None) -> str | None:
    """For which cause this mail ends running follow-ups of its sender (playbook B6), or None for a machine's mail."""
    if screening.is_bounce:
        return "bounce"
    if screening.check == "feedback":
        return "complaint"
    if screening.check == "own":
        return "human"
    if screening.check in NOT_A_PERSON | NOT_BELIEVED:
        return None
    if verdict and verdict.opt_out:
        return "opt_out"
    if _books(message) or (verdict and verdict.intent is Intent.RESCHEDULE):
        return "rebooked"
    if verdict and verdict.intent is Intent.CANCEL:
        return "told_why" if verdict.asked else "new_cancellation"
    return "reply"


def _books(message: Message) -> bool:
    calendar = message.calendar
    return calendar is not None and (
        calendar.method == "REQUEST" or (calendar.method == "REPLY" and calendar.partstat == "ACCEPTED")
    )


def stopped_addresses(message: Message, screening: Screening, history: History) -> tuple[str, ...]:
    """Whose follow-ups end with this mail: its sender's, those of the person we had written to, a bounce's recipients."""
    found: list[str] = list(screening.bounced)
    if screening.check == "own":
        found += [address.key for address in message.recipients]
    elif message.sender and not screening.is_bounce:
        found.append(message.sender.key)
    if history.counterpart:
        found.append(history.counterpart)
    return tuple(dict.fromkeys(found))


def suppressed_addresses(
    message: Message, screening: Screening, verdict: Verdict | None, history: History
) -> Mapping[str, str]:
    """Who is never written to again after this mail, with the cause.

    Anybody can send something that looks like a bounce or a complaint: it counts against an address only if it returns a
    mail of ours, whose Message-ID nobody can guess.
    """
    found: dict[str, str] = {}
    if history.counterpart and history.counterpart in screening.dead:
        found[history.counterpart] = "bounce"
    if history.counterpart and screening.check == "feedback":
        found[history.counterpart] = "complaint"
    if verdict and verdict.opt_out and message.sender and screening.check not in NOT_A_PERSON | NOT_BELIEVED:
        found[message.sender.key] = "opt_out"
        if history.counterpart:
            found[history.counterpart] = "opt_out"
    return found
