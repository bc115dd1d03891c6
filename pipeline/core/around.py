"""What goes on around an appointment: which one a mail is about, what the policy says, who could take it, who did not come.

Like `flow`, this file may call its siblings in the core; it is read by `flow` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from pipeline.core import appointments, compose, dates, followups, policy, policy_words, slots
from pipeline.core.records import (
    Address,
    Appointment,
    AppointmentState,
    Case,
    Draft,
    FollowUp,
    History,
    Intent,
    Kind,
    Message,
    Reason,
    Rules,
    Screening,
    Text,
    Verdict,
    Waiting,
    digest,
)

# The texts that no track and no answer names.
TEXTS: Mapping[str, Kind] = {
    "late": Kind.NOTE,
    "no_show": Kind.NOTE,
    "slot_offer": Kind.FOLLOW_UP,
    "prepare": Kind.FOLLOW_UP,
}

Render = Callable[[str, str, Mapping[str, str]], Text]
Content = Callable[[str, str], str]


def told_of(message: Message, screening: Screening, rules: Rules) -> tuple[Appointment, ...]:
    """What a mail tells of appointments beside its words: as a calendar (iTIP), or as the notice of a booking tool.

    Only a sender whom a trusted server vouches for is believed.
    """
    if not screening.authenticated:
        return ()
    found = appointments.of_calendar(message, rules)
    if found:
        return (found,)
    if not appointments.is_notice(message, screening.authenticated, rules.appointments.tools):
        return ()
    said = appointments.fields_of(message)
    day, before = (_first_day(message, said.get(name, ""), rules) for name in ("when", "before"))
    return appointments.of_notice(message, said, day, before, rules)


def _first_day(message: Message, words: str, rules: Rules) -> date | None:
    found = dates.find(replace(message, text=words, calendar=None), Intent.NONE, rules)
    exact = (each.day for each in found if any(letter.isdigit() for letter in each.text))
    return next(exact, found[0].day if found else None)  # "Tuesday, December 1": the weekday alone would be another day


@dataclass(frozen=True, kw_only=True, slots=True)
class Matter:
    """What a mail is about: the appointment as it is now, whether it is called off late, and what a rep is told.

    `money` is the policy's word, `freed` which slot is free and who could take it, a sentence each.
    """

    appointment: Appointment | None = None
    late: bool | None = None
    advice: policy.Advice | None = None
    money: tuple[str, ...] = ()
    freed: tuple[str, ...] = ()

    @property
    def why(self) -> tuple[str, ...]:
        """All of it, as sentences."""
        return (*self.freed, *self.money)

    @property
    def notes(self) -> tuple[tuple[str, str], ...]:
        """All of it, as lines of a draft's head."""
        return (*(("Slot", line) for line in self.freed), *(("Money", line) for line in self.money))

    def changed(self, told: tuple[Appointment, ...]) -> tuple[Appointment, ...]:
        """Every appointment that the mail tells of. A calendar, and a booking tool, know better than the words."""
        return told or ((self.appointment,) if self.appointment else ())


def matter(
    message: Message, verdict: Verdict, told: tuple[Appointment, ...], history: History, rules: Rules, now: datetime
) -> Matter:
    """What a cancellation or a wish for another date is about. `told` is what `told_of` found."""
    one = _known(told[0], history) if told else appointments.meant(message, verdict, history.appointments, rules)
    if verdict.intent is not Intent.CANCEL or (told and told[0].state is AppointmentState.BOOKED):
        return Matter(appointment=one)
    at = message.sent or message.arrived
    booking = appointments.booking(one, history)
    cancellation = policy.Cancellation(
        at=at,
        late_before=appointments.late_before(history, message.key, rules.policy.grace),
        cause=policy.cause_of(verdict, rules.policy),
    )
    advice = policy.advise(rules.policy, booking, cancellation) if rules.policy.asks else None
    return Matter(
        appointment=appointments.called_off(one, verdict, at) if one else None,
        late=policy.is_late(rules.policy, booking, cancellation),
        advice=advice,
        money=_money(advice, verdict, cancellation, rules) if advice else (),
        freed=_freed(one, history, rules, now) if one else (),
    )


def _known(told: Appointment, history: History) -> Appointment:
    """The appointment that was told of, with what was known of it before."""
    same = (one for one in history.appointments if one.key == told.key or one.start == told.start)
    return next(same, told)


def _money(advice: policy.Advice, verdict: Verdict, cancellation: policy.Cancellation, rules: Rules) -> tuple[str, ...]:
    """The policy's word for the rep; where a person decides, no amount is named, unless an exception helps (playbook B7)."""
    unnamed = verdict.sensitive is not None and cancellation.cause not in rules.policy.exceptions
    lines = (policy.SENSITIVE,) if unnamed else advice.lines
    return policy_words.sentences(lines, advice.currency, rules.business.languages[0])


def _freed(one: Appointment, history: History, rules: Rules, now: datetime) -> tuple[str, ...]:
    """Which slot is free again, and who could take it (playbook S1.3)."""
    if (one.start_by or one.start) < now:
        return ()
    said = compose.appointment_in_words(one, "en", rules.business) + (f" ({one.service})" if one.service else "")
    if not one.timed:
        return (f"Called off: {said}; the hour is not known.",)
    off = replace(one, state=AppointmentState.CANCELLED)
    able = slots.takers(off, history.waiting, rules, now) if slots.is_free(off, now) else ()
    if not able:
        return (f"Free again: {said}.",)
    names = ", ".join(each.case.recipient.name or each.case.recipient.address for each in able[:3])
    return f"Free again: {said}.", f"Could take it: {names}, who cancelled over the time."


def late_note(message: Message, verdict: Verdict, about: Matter, rules: Rules, render: Render, revision: int) -> Draft | None:
    """The second draft to who cancels late: it quotes the very section of the policy, and is always for a rep (playbook S3.2).

    Not in trouble, not in anger, not where we are the reason: there the rules rest (B7). Raises TextRefused.
    """
    advice = about.advice
    silent = verdict.sensitive or verdict.opt_out or verdict.reason is Reason.SERVICE
    if advice is None or not about.late or silent or message.sender is None or advice.section in _NOTHING_TO_QUOTE:
        return None
    quoted = {"section": advice.section, "next_section": advice.next_section}
    case = Case(
        message=message.key,
        recipient=message.sender,
        message_id=message.message_id,
        thread=message.thread,
        subject=message.subject,
        text=message.text,
        sent=message.sent or message.arrived,
        language=verdict.language,
        reason=verdict.reason,
        subreason=verdict.subreason,
    )
    values = {
        **compose.values(case.recipient, case.language, case.sent, None, rules),
        **_said_of(about.appointment, case.language, rules),
        **{
            name: policy_words.section(rules.policy, key, case.language, rules.business.address_form)
            for name, key in quoted.items()
            if key
        },
    }
    return compose.note(
        case,
        "late",
        render("late", case.language, values),
        key=digest("draft", message.key, "late", revision),
        review=True,
        why=("The cancellation is late: this text quotes your policy. Send it only if it is to be spoken of.",),
        about=about.notes,
        rules=rules,
    )


# The policy asks for nothing, or has no rule for what is known.
_NOTHING_TO_QUOTE = frozenset({"contact", "notice", "ours"})


def _said_of(one: Appointment | None, language: str, rules: Rules) -> Mapping[str, str]:
    """What a text may say of an appointment."""
    if one is None:
        return {}
    return {"when": compose.appointment_in_words(one, language, rules.business), "service": one.service}


def no_show(
    one: Appointment, history: History, rules: Rules, now: datetime, render: Render, free: Sequence[datetime]
) -> tuple[Case, Draft]:
    """The case and the note of a customer who did not come (playbook S2.3); it assumes an honest mistake. Raises TextRefused.

    `review` is False if it is to go out at once and this is still the moment for its words.
    """
    language = _language_to(one, history, rules)
    timely = one.timed and now - one.start <= rules.appointments.no_show_within
    direct = rules.appointments.no_show == "send" and timely and followups.rested(history, rules, now) <= now
    case = Case(
        message=digest("no-show", one.key, one.start.isoformat()),
        recipient=Address(name=one.name, address=one.address),
        message_id=None,
        thread=(),
        subject="",
        text="",
        sent=now,
        language=language,
        reason=None,
    )
    values = {
        **compose.values(case.recipient, language, one.start, None, rules),
        **_said_of(one, language, rules),
        "slots": compose.slots_in_words(free, language, rules.business),
    }
    said = compose.appointment_in_words(one, "en", rules.business)
    draft = compose.note(
        case,
        "no_show",
        render("no_show", language, values),
        key=digest("draft", case.message, 0, 0),
        review=not direct,
        why=(f"Did not come: {said}. Most people have a good reason, so this text asks for nothing.",),
        rules=rules,
    )
    return case, draft


def _language_to(one: Appointment, history: History, rules: Rules) -> str:
    spoken = rules.business.languages
    return next((language for language in (one.language, history.language) if language in spoken), spoken[0])


def offer(one: Appointment, taker: Waiting, rules: Rules, now: datetime, render: Render, ticket: Callable[[str], str]) -> Draft:
    """The draft that offers a freed slot to somebody who could take it, always for a rep. Raises TextRefused."""
    case = taker.case
    values = {
        **compose.values(case.recipient, case.language, case.sent, case.wished, rules),
        **_said_of(one, case.language, rules),
    }
    step = FollowUp(
        key=digest("offer", one.key, one.start.isoformat()),
        case=case.message,
        address=case.recipient.key,
        track="slot",
        number=taker.touches + 1,
        template="slot_offer",
        due=now,
    )
    said = compose.appointment_in_words(one, "en", rules.business)
    return compose.touch(
        step,
        case,
        render(step.template, case.language, values),
        key=digest("draft", step.key, case.message),
        review=True,
        why=(f"Free again: {said}. This customer cancelled over the time.",),
        rules=rules,
        until=one.start,
        ticket=ticket(case.recipient.key),
    )


def preparation(
    step: FollowUp, case: Case, history: History, rules: Rules, now: datetime, content: Content
) -> Mapping[str, str]:
    """What is useful before the new date, chosen by its service (playbook S1.1). Raises TextRefused."""
    ahead = followups.coming(history, now)
    if step.track != followups.CONNECTING or ahead is None:
        return {}
    pieces = rules.appointments.content
    name = pieces.get(ahead.service.lower().strip(), pieces.get("", ""))
    return {**_said_of(ahead, case.language, rules), "content": content(name, case.language) if name else ""}
