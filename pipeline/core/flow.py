"""The whole path of a message, and of a due follow-up. Where steps of the core are joined: siblings do not know each other."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from pipeline.core import appointments, around, compose, dates, decide, followups, law, report_words, slots, tone
from pipeline.core.around import Content, Render
from pipeline.core.cut import cut
from pipeline.core.figures import Figures, LetterRules, Weekly
from pipeline.core.parse import parse
from pipeline.core.records import (
    Appointment,
    Case,
    Decision,
    Draft,
    FollowUp,
    Ground,
    History,
    Intent,
    Kind,
    Message,
    Note,
    Outcome,
    Plan,
    Raw,
    Reason,
    Rules,
    Scores,
    Screening,
    Send,
    StepPlan,
    Text,
    Verdict,
    Waiting,
    digest,
)
from pipeline.core.screen import Past, screen
from pipeline.core.understand import for_model, question_in, understand
from pipeline.errors import TextRefused

Stamp = Callable[[str], str]
Ticket = Callable[[str], str]


class Texts(Protocol):
    """The texts that there are."""

    def variants(self, name: str, language: str) -> tuple[str, ...]:
        """A text and its variants by name, in order; empty if there is no such text."""

    def render(self, name: str, language: str, values: Mapping[str, str]) -> Text:
        """One of them with its values put in. Raises TextRefused."""


def read(raw: Raw) -> Message:
    """A mail as the core understands it, the customer's new words apart from what is quoted. Raises Unreadable."""
    message = parse(raw)
    text, quoted = cut(message.text)
    return replace(message, text=text, quoted=quoted)


def words(message: Message) -> str:
    """What the model is asked about: the subject and the new words."""
    return for_model(_without_ticket(message))


def ticket_in(message: Message) -> str | None:
    """The ticket that a mail program wrote into the subject when its user pressed `unsubscribe`, or None."""
    found = _TICKET.search(message.subject)
    return found[1] if found else None


_TICKET = re.compile(r"\bunsubscribe\W+([0-9a-f]{64})\b", re.IGNORECASE | re.ASCII)


def _without_ticket(message: Message) -> Message:
    ticket = ticket_in(message)
    return replace(message, subject=message.subject.replace(ticket, "").strip()) if ticket else message


def look(message: Message, history: History, rules: Rules) -> Screening:
    """Whether a mail may be answered, before anybody reads what it says."""
    return screen(message, rules, history)


def tells(history: History) -> bool:
    """Whether the past has something to say to `look`, so that it may say otherwise than of a stranger's mail."""
    return Past.of(history) != Past.of(History())


def matters(screening: Screening) -> bool:
    """Whether the words of a mail matter: a machine's are not worth asking the model about."""
    return not decide.is_machine(screening)


def answer(
    message: Message,
    screening: Screening,
    scores: Scores | None,
    history: History,
    rules: Rules,
    now: datetime,
    texts: Texts,
    stamp: Stamp,
    free: Sequence[datetime] = (),
) -> Plan:
    """Say everything that should happen because of one mail. Pure: the same values give the same plan.

    `screening` is what `look` said. `scores` may be None for a mail that does not matter; its plan then has no verdict.
    `free` are the times that may be offered to who asks for another date.
    """
    if scores is None:
        return _plain_plan(
            message, screening, None, decide.ignore_machine(screening), history, around.told_of(message, screening, rules)
        )
    verdict = understand(_without_ticket(message), scores, rules, question_in(history.said))
    if ticket_in(message) and verdict.intent is Intent.NONE:
        # The button of a mail program wrote it: there is nothing to ask a person about.
        verdict = replace(verdict, opt_out=True, unsure=False)
    verdict = replace(verdict, dates=dates.find(message, verdict.intent, rules, scores.day_purpose))
    told = around.told_of(message, screening, rules)
    if told and told[0].cause == appointments.RESCHEDULED:
        return _plain_plan(message, screening, verdict, decide.ignore_moved(), history, told)
    return _plan(message, screening, verdict, history, rules, now, texts, stamp, revision=0, told=told, free=free)


def answer_as(
    message: Message,
    verdict: Verdict,
    history: History,
    rules: Rules,
    now: datetime,
    texts: Texts,
    stamp: Stamp,
    revision: int,
    free: Sequence[datetime] = (),
    over: bool = False,
) -> Plan:
    """As `answer`, with the verdict of a person, who also says that an answer is in place: it always goes to review.

    `over`: what the mail began has ended since, as by a booking or a reply. Nothing is planned or promised then.
    """
    vouched = look(message, history, rules).authenticated
    screening = Screening(doubt="a rep corrected the reading", authenticated=vouched)
    return _plan(message, screening, verdict, history, rules, now, texts, stamp, revision=revision, free=free, over=over)


def _plan(
    message: Message,
    screening: Screening,
    verdict: Verdict,
    history: History,
    rules: Rules,
    now: datetime,
    texts: Texts,
    stamp: Stamp,
    *,
    revision: int,
    told: tuple[Appointment, ...] = (),
    free: Sequence[datetime] = (),
    over: bool = False,
) -> Plan:
    decision = decide.answer(message, screening, verdict, history, rules)
    shown = law.evidence(message, verdict, verified=screening.authenticated)
    plan = replace(_plain_plan(message, screening, verdict, decision, history, told), ground=shown)
    if decision.outcome is Outcome.IGNORE or message.sender is None or screening.check in decide.NOT_BELIEVED:
        return plan
    matter = around.matter(message, verdict, told, history, rules, now)
    said = decision.why
    decision = replace(decision, money="\n".join(matter.money) or None, why=(*said, *matter.why))
    plan = replace(plan, decision=decision, appointments=matter.changed(told), late=matter.late)
    if decision.outcome is not Outcome.ANSWER or decision.template is None:
        return plan
    planned = () if over else _planned(message, verdict, rules, now)
    barred = law.barred(law.stronger(_ground(history), shown), rules.business.country, now) if planned else None
    promised = bool(planned) and barred is None
    wished = _wished(message, verdict, rules) if promised else None
    why = (*decision.why, *_next(planned, barred))
    try:
        render = _unread(texts, history)
        text = _text(decision.template, message, verdict, wished, promised, rules, render, free=free)
        draft = compose.acknowledgment(
            message,
            verdict,
            decision.template,
            text,
            key=digest("draft", message.key, 0, revision),
            review=decision.review,
            why=(*said, *_next(planned, barred)),
            about=matter.notes,
            rules=rules,
        )
        _refuse_faults(draft, text.subject, rules)
        beside = around.late_note(message, verdict, matter, rules, render, revision)
        if beside:
            _refuse_faults(beside, beside.subject, rules)
        ready = None if draft.review else _freeze(draft, rules, now, stamp)
    except TextRefused as error:
        held = replace(decision, outcome=Outcome.HOLD, cause="text_refused", review=True, why=(*decision.why, str(error)))
        return replace(plan, decision=held)
    return replace(
        plan,
        decision=replace(decision, steps=planned, why=why),
        draft=draft,
        outgoing=ready,
        contact=None if over else decide.contact_state(verdict, decision, planned),
        wished=wished,
        beside=beside,
    )


def _plain_plan(
    message: Message,
    screening: Screening,
    verdict: Verdict | None,
    decision: Decision,
    history: History,
    told: tuple[Appointment, ...] = (),
) -> Plan:
    """What follows from a mail whether it is answered or not: whose follow-ups end, who is never written to again."""
    return Plan(
        message=message,
        screening=screening,
        verdict=verdict,
        decision=decision,
        stop=decide.stop_cause(message, screening, verdict),
        stopped=decide.stopped_addresses(message, screening, history),
        suppress=decide.suppressed_addresses(message, screening, verdict, history),
        appointments=told,
    )


def no_show(
    one: Appointment, history: History, rules: Rules, now: datetime, texts: Texts, stamp: Stamp, free: Sequence[datetime] = ()
) -> Note:
    """The note to a customer who did not come (playbook S2.3), as a draft or ready to go. Raises TextRefused."""
    case, draft = around.no_show(one, history, rules, now, _unread(texts, history), free)
    _refuse_faults(draft, draft.subject, rules)
    return Note(case=case, draft=draft, outgoing=None if draft.review else _freeze(draft, rules, now, stamp))


def offer(
    one: Appointment,
    waiting: Sequence[Waiting],
    rules: Rules,
    now: datetime,
    texts: Texts,
    ticket: Ticket,
    known: Callable[[str], History],
) -> Draft | None:
    """The draft that offers a freed slot to who could take it (playbook S1.3), or None. Raises TextRefused.

    An offer sells, so it asks for the same basis as a follow-up; `known` tells what is known of an address.
    """
    able = slots.takers(one, waiting, rules, now) if slots.is_free(one, now) else ()
    for taker in able:
        history = known(taker.case.recipient.key)
        if may_follow_up(history, rules, now):
            draft = around.offer(one, taker, rules, now, _unread(texts, history), ticket)
            _refuse_faults(draft, draft.subject, rules)
            return draft
    return None


def remind(
    step: FollowUp,
    case: Case,
    history: History,
    rules: Rules,
    now: datetime,
    texts: Texts,
    stamp: Stamp,
    ticket: Ticket,
    content: Content = lambda name, language: "",
) -> StepPlan:
    """Say what becomes of a due follow-up: its draft, a later time, or its end.

    `ticket` makes from an address what ends the follow-ups to it. `content` gives the piece that helps to prepare for an
    appointment, by its name and language.
    """
    verdict, later, why = followups.judge(step, case, history, rules, now)
    if verdict == "drop":
        return StepPlan(step=step, dropped=why, why=(why,))
    if later is not None:
        return StepPlan(step=step, moved_to=later, why=(why,))
    # What helps to prepare for a booked appointment sells nothing.
    sells = step.track != followups.CONNECTING
    barred = law.barred(_ground(history), rules.business.country, now) if sells else None
    if barred:
        return StepPlan(step=step, dropped=law.NO_BASIS, why=(barred,))
    review = rules.answers.follow_ups != "when_sure" or case.reason is Reason.SERVICE
    rested = followups.rested(history, rules, now)
    if rested > now and not review:
        if sells:
            return StepPlan(step=step, moved_to=rested, why=("an automatic mail went out lately",))
        review = True  # by then it would be too late to prepare
    try:
        values = {
            **compose.values(case.recipient, case.language, case.sent, case.wished, rules, keeps_in_touch=True),
            **around.preparation(step, case, history, rules, now, content),
        }
        text = _unread(texts, history)(step.template, case.language, values)
        ahead = None if sells else followups.coming(history, now)
        draft = compose.touch(
            step,
            case,
            text,
            key=digest("draft", case.message, step.track, step.number, step.revision),
            review=review,
            why=_due(step),
            rules=rules,
            ticket=ticket(case.recipient.key),
            until=ahead.start if ahead else None,
        )
        _refuse_faults(draft, draft.subject, rules)
        ready = None if review else _freeze(draft, rules, now, stamp)
    except TextRefused as error:
        return StepPlan(step=step, trouble=str(error))
    return StepPlan(step=step, draft=draft, outgoing=ready)


def letter_key(week_ends: datetime) -> str:
    """The key of the letter on the week that ends then: one week, one letter."""
    return digest("letter", week_ends.date())


def letter(figures: Figures, letters: LetterRules, rules: Rules, now: datetime, stamp: Stamp) -> tuple[Draft, Send | None]:
    """The weekly letter to the owner about these figures, as a draft for a rep or with its mail ready to go."""
    business, of = rules.business, letter_key(figures.period.end)
    language, review = business.languages[0], letters.weekly is not Weekly.SEND
    text = report_words.letter(figures, business, language)
    draft = compose.letter(text, letters.to or business.sender, language, key=digest("draft", of, 0, 0), of=of, review=review)
    return draft, None if review else _freeze(draft, rules, now, stamp)


def approve(draft: Draft, body: str, subject: str, rules: Rules, now: datetime, stamp: Stamp) -> Send:
    """Freeze a draft that a rep released, with the words the rep left in it. Raises TextRefused."""
    return compose.outgoing(draft, body, subject, stamp(f"mail:{draft.key}"), automatic=False, rules=rules, now=now)


def doubts(draft: Draft, body: str, rules: Rules) -> tuple[str, ...]:
    """What a rep's own words break that a rep may decide. Raises TextRefused for what nobody may send."""
    found = _faults(draft, "", body, rules)
    if binding := [str(fault) for fault in found if fault.binding]:
        raise TextRefused(f"this can't be sent as it is: {'; '.join(binding)}")
    return tuple(fault.says for fault in found)


def corrected(verdict: Verdict, intent: Intent, reason: Reason | None) -> Verdict:
    """The verdict as a rep corrected it: a person is sure, and a stale sub-reason goes with the old reason."""
    same = verdict.intent is intent and verdict.reason is reason
    return replace(
        verdict,
        intent=intent,
        reason=reason,
        subreason=verdict.subreason if same else None,
        confidence=1.0,
        intent_confidence=1.0,
        runner_up=None,
        unsure=False,
    )


def _faults(draft: Draft, subject: str, body: str, rules: Rules) -> tuple[tone.Fault, ...]:
    if draft.kind is Kind.LETTER:  # it quotes customers to the owner
        return ()
    sensitive = draft.template.startswith("sensitive_")
    return tone.faults(subject, body, draft.kind, sensitive=sensitive, business=rules.business)


def _refuse_faults(draft: Draft, subject: str, rules: Rules) -> None:
    """Every text of ours is read before it can leave. `subject` is ours; that of an answer may be the customer's."""
    if found := _faults(draft, subject, draft.text, rules):
        broken = "; ".join(map(str, found))
        raise TextRefused(f"template {draft.template}: {broken}. Change the text and run `winback check`")


def _unread(texts: Texts, history: History) -> Render:
    """Fills, of a text and its variants, the one that a customer reads next; a text that there is not is refused."""

    def render(name: str, language: str, values: Mapping[str, str]) -> Text:
        chosen = compose.unread(texts.variants(name, language) or (name,), history.texts)
        return texts.render(chosen, language, values)

    return render


def _freeze(draft: Draft, rules: Rules, now: datetime, stamp: Stamp) -> Send:
    body = compose.whole_body(draft)
    return compose.outgoing(draft, body, draft.subject, stamp(f"mail:{draft.key}"), automatic=True, rules=rules, now=now)


def _planned(message: Message, verdict: Verdict, rules: Rules, now: datetime) -> tuple[FollowUp, ...]:
    if verdict.intent is not Intent.CANCEL or message.sender is None or _would_not_say(verdict):
        return ()
    return followups.steps(message.key, message.sender, verdict, rules, now)


def _would_not_say(verdict: Verdict) -> bool:
    """Who was asked for the reason and gives none is left in peace."""
    return verdict.asked is not None and verdict.reason is Reason.UNSPECIFIED


def _text(
    name: str,
    message: Message,
    verdict: Verdict,
    wished: date | None,
    promised: bool,
    rules: Rules,
    render: Render,
    *,
    free: Sequence[datetime],
) -> Text:
    assert message.sender is not None
    sent, language = message.sent or message.arrived, verdict.language
    offered = free if verdict.intent is Intent.RESCHEDULE else ()
    values = {
        **compose.values(message.sender, language, sent, wished, rules, keeps_in_touch=promised),
        "slots": compose.slots_in_words(offered, language, rules.business),
    }
    return render(name, language, values)


def _wished(message: Message, verdict: Verdict, rules: Rules) -> date | None:
    """The customer's own date. It is only spoken of when a follow-up is planned for it: we promise nothing else."""
    return followups.own_date(verdict, _day(message.sent or message.arrived, rules))


def _day(moment: datetime, rules: Rules) -> date:
    return moment.astimezone(ZoneInfo(rules.business.timezone)).date()


def may_follow_up(history: History, rules: Rules, now: datetime) -> bool:
    """Whether the law lets us write to this customer of our own accord."""
    return law.barred(_ground(history), rules.business.country, now) is None


def _ground(history: History) -> Ground | None:
    return law.known(history.ground, history.appointments)


def _next(planned: tuple[FollowUp, ...], barred: str | None) -> tuple[str, ...]:
    if not planned:
        return ("No follow-ups.",)
    days = ", ".join(f"{step.template} on {step.due:%Y-%m-%d}" for step in planned)
    if barred:
        return (f"Follow-ups, if a basis is known by then: {days}.", barred)
    return (f"Follow-ups: {days}.",)


def _due(step: FollowUp) -> tuple[str, ...]:
    return (f"Touch {step.number} of track {step.track} was due on {step.due:%Y-%m-%d}.",)


__all__ = [
    "Stamp",
    "Texts",
    "answer",
    "answer_as",
    "approve",
    "corrected",
    "doubts",
    "letter",
    "letter_key",
    "look",
    "matters",
    "no_show",
    "offer",
    "read",
    "remind",
    "tells",
    "ticket_in",
    "words",
]
