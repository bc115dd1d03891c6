"""The whole path of a message, and of a due follow-up, on one screen. The only core file that imports its siblings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from pipeline.core import compose, dates, decide, followups, report_words
from pipeline.core.cut import cut
from pipeline.core.figures import Figures, LetterRules, Weekly
from pipeline.core.parse import parse
from pipeline.core.records import (
    Case,
    ContactState,
    Decision,
    Draft,
    FollowUp,
    History,
    Intent,
    Message,
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
    digest,
)
from pipeline.core.screen import screen
from pipeline.core.understand import for_model, understand
from pipeline.errors import TextRefused

Render = Callable[[str, str, Mapping[str, str]], Text]
Stamp = Callable[[str], str]


def read(raw: Raw) -> Message:
    """A mail as the core understands it, the customer's new words apart from what is quoted. Raises Unreadable."""
    message = parse(raw)
    text, quoted = cut(message.text)
    return replace(message, text=text, quoted=quoted)


def words(message: Message) -> str:
    """What the model is asked about: the subject and the new words."""
    return for_model(message)


def look(message: Message, history: History, rules: Rules) -> Screening:
    """Whether a mail may be answered, before anybody reads what it says."""
    return screen(message, rules, history)


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
    render: Render,
    stamp: Stamp,
) -> Plan:
    """Say everything that should happen because of one mail. Pure: the same values give the same plan.

    `screening` is what `look` said. `scores` may be None for a mail that does not matter; its plan then has no verdict.
    """
    if scores is None:
        return _plain_plan(message, screening, None, decide.ignore_machine(screening), history)
    verdict = understand(message, scores, rules)
    verdict = replace(verdict, dates=dates.find(message, verdict.intent, rules))
    return _plan(message, screening, verdict, history, rules, now, render, stamp, revision=0)


def answer_as(
    message: Message,
    verdict: Verdict,
    history: History,
    rules: Rules,
    now: datetime,
    render: Render,
    stamp: Stamp,
    revision: int,
) -> Plan:
    """As `answer`, with the verdict of a person, who also says that an answer is in place: it always goes to review."""
    screening = Screening(doubt="a rep corrected the reading")
    return _plan(message, screening, verdict, history, rules, now, render, stamp, revision=revision)


def _plan(
    message: Message,
    screening: Screening,
    verdict: Verdict,
    history: History,
    rules: Rules,
    now: datetime,
    render: Render,
    stamp: Stamp,
    *,
    revision: int,
) -> Plan:
    decision = decide.answer(message, screening, verdict, history, rules)
    plan = _plain_plan(message, screening, verdict, decision, history)
    if decision.outcome is not Outcome.ANSWER or decision.template is None or message.sender is None:
        return plan
    planned = _planned(message, verdict, rules, now)
    wished = _wished(message, verdict, rules) if planned else None
    why = (*decision.why, *_next(planned))
    try:
        text = _text(decision.template, message, verdict, wished, rules, render)
        draft = compose.acknowledgment(
            message,
            verdict,
            decision.template,
            text,
            key=digest("draft", message.key, 0, revision),
            review=decision.review,
            why=why,
            rules=rules,
        )
        ready = None if draft.review else _freeze(draft, rules, now, stamp)
    except TextRefused as error:
        held = replace(decision, outcome=Outcome.HOLD, cause="text_refused", review=True, why=(*decision.why, str(error)))
        return replace(plan, decision=held)
    return replace(
        plan,
        decision=replace(decision, steps=planned, why=why),
        draft=draft,
        outgoing=ready,
        contact=decide.contact_state(verdict, decision, planned),
        wished=wished,
    )


def _plain_plan(message: Message, screening: Screening, verdict: Verdict | None, decision: Decision, history: History) -> Plan:
    """What follows from a mail whether it is answered or not: whose follow-ups end, who is never written to again."""
    return Plan(
        message=message,
        screening=screening,
        verdict=verdict,
        decision=decision,
        stop=decide.stop_cause(message, screening, verdict),
        stopped=decide.stopped_addresses(message, screening, history),
        suppress=decide.suppressed_addresses(message, screening, verdict, history),
    )


def remind(step: FollowUp, case: Case, history: History, rules: Rules, now: datetime, render: Render, stamp: Stamp) -> StepPlan:
    """Say what becomes of a due follow-up: its draft, a later time, or its end."""
    verdict, later, why = followups.judge(step, case, history, rules, now)
    if verdict == "drop":
        return StepPlan(step=step, dropped=why, why=(why,))
    if later is not None:
        return StepPlan(step=step, moved_to=later, why=(why,))
    review = rules.answers.follow_ups != "when_sure" or case.reason is Reason.SERVICE
    try:
        text = render(
            step.template, case.language, compose.values(case.recipient, case.language, case.sent, case.wished, rules)
        )
        draft = compose.touch(
            step, case, text, key=digest("draft", case.message, step.number, 0), review=review, why=_due(step), rules=rules
        )
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


def _freeze(draft: Draft, rules: Rules, now: datetime, stamp: Stamp) -> Send:
    body = compose.whole_body(draft)
    return compose.outgoing(draft, body, draft.subject, stamp(f"mail:{draft.key}"), automatic=True, rules=rules, now=now)


def _planned(message: Message, verdict: Verdict, rules: Rules, now: datetime) -> tuple[FollowUp, ...]:
    if verdict.intent is not Intent.CANCEL or message.sender is None:
        return ()
    return followups.steps(message.key, message.sender, verdict, rules, now)


def _text(template: str, message: Message, verdict: Verdict, wished: date | None, rules: Rules, render: Render) -> Text:
    assert message.sender is not None
    sent = message.sent or message.arrived
    return render(template, verdict.language, compose.values(message.sender, verdict.language, sent, wished, rules))


def _wished(message: Message, verdict: Verdict, rules: Rules) -> date | None:
    """The customer's own date. It is only spoken of when a follow-up is planned for it: we promise nothing else."""
    return followups.own_date(verdict, _day(message.sent or message.arrived, rules))


def _day(moment: datetime, rules: Rules) -> date:
    return moment.astimezone(ZoneInfo(rules.business.timezone)).date()


def _next(planned: tuple[FollowUp, ...]) -> tuple[str, ...]:
    if not planned:
        return ("No follow-ups.",)
    days = ", ".join(f"{step.template} on {step.due:%Y-%m-%d}" for step in planned)
    return (f"Follow-ups: {days}.",)


def _due(step: FollowUp) -> tuple[str, ...]:
    return (f"Touch {step.number} of track {step.track} was due on {step.due:%Y-%m-%d}.",)


__all__ = [
    "ContactState",
    "Decision",
    "Render",
    "Stamp",
    "answer",
    "answer_as",
    "approve",
    "corrected",
    "letter",
    "letter_key",
    "look",
    "matters",
    "read",
    "remind",
    "words",
]
