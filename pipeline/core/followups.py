"""Turn tracks into dated steps, and say of a due step whether it goes, moves or is dropped. Sends nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pipeline.core.records import (
    Address,
    Appointment,
    AppointmentState,
    Case,
    ContactState,
    DateKind,
    FollowUp,
    FollowUpRules,
    History,
    Reason,
    Rules,
    Touch,
    Verdict,
    digest,
)

# Nothing to win back, or nobody to win back from (playbook C): well-wishes in the acknowledgment, then silence.
ENDED = frozenset({"need_ended", "moved", "closing", "bereavement", "hardship", "illness", "pregnancy", "wrong_person"})

# Tracks beside those of the reasons. Their steps are not counted among the touches of a cancellation.
HIBERNATION = "hibernation"  # a greeting from time to time (playbook S2.2)
CONNECTING = "connecting"  # something useful before a new date (S1.1)

BESIDE = frozenset({HIBERNATION, CONNECTING})

REST_BETWEEN_TOUCHES = timedelta(hours=72)  # reliability rule C6
PATIENCE_WITH_REVIEW = timedelta(days=14)
# `unspecified` is a note of thanks by itself, and a complaint is answered by a rep within a day.
_THANKED_OTHERWISE = frozenset({Reason.UNSPECIFIED, Reason.SERVICE})
_SOON_ENOUGH = timedelta(hours=3)
_SOONEST = timedelta(days=1)
_FARTHEST = timedelta(days=550)  # planned ahead
_BEYOND_BELIEF = timedelta(days=3 * 365)  # a day so far off was misread


def track_of(verdict: Verdict, rules: FollowUpRules) -> str | None:
    """The name of the track that a cancellation starts, or None when it starts none.

    A sub-reason with a track of its own comes before the reason; what is sensitive or has ended starts none.
    """
    if verdict.sensitive or verdict.opt_out or verdict.reason is None:
        return None
    if verdict.subreason in rules.tracks:
        return verdict.subreason
    if verdict.subreason in ENDED:
        return None
    return str(verdict.reason) if rules.tracks.get(verdict.reason) else None


def steps(case: str, recipient: Address, verdict: Verdict, rules: Rules, now: datetime) -> tuple[FollowUp, ...]:
    """The dated steps of a cancellation, at most `max_touches`, each within the allowed hours; empty when none make sense.

    The customer's own date sets the date of the touch that is marked `own_date`, else of the first one; no touch comes
    before it, and the others keep their distance from it (playbook B8). Who names one that lies beyond all planning is left
    in peace.
    """
    track = track_of(verdict, rules.follow_ups)
    if track is None:
        return ()
    touches: Sequence[Touch] = rules.follow_ups.tracks[track]
    zone = ZoneInfo(rules.business.timezone)
    today = now.astimezone(zone).date()
    own = own_date(verdict, today)
    if own is None and _is_years_off(verdict, today):
        return ()
    wished = datetime.combine(own, rules.follow_ups.quiet_to, zone) if own else None
    if wished:
        touches = _from_own_date(touches)
    elif verdict.firm and rules.follow_ups.thanks and verdict.reason not in _THANKED_OTHERWISE:
        touches = _after_thanks(rules.follow_ups.thanks, touches)
    touches = touches[: rules.follow_ups.max_touches]
    found: list[FollowUp] = []
    for number, due in enumerate(_due_times(touches, wished, rules, now), 1):
        found.append(
            FollowUp(
                key=digest("step", case, track, number),
                case=case,
                address=recipient.key,
                track=track,
                number=number,
                template=touches[number - 1].template,
                due=due,
            )
        )
    return tuple(found)


def own_date(verdict: Verdict, today: date) -> date | None:
    """The day on which the customer wants to hear from us again, if it lies ahead and not absurdly far."""
    ahead = [day for day in _wished(verdict) if today + _SOONEST <= day <= today + _FARTHEST]
    return min(ahead) if ahead else None


def _is_years_off(verdict: Verdict, today: date) -> bool:
    """Whether the customer wants to hear from us, but not for years: "maybe in a couple of years"."""
    return any(today + _FARTHEST < day <= today + _BEYOND_BELIEF for day in _wished(verdict))


def _wished(verdict: Verdict) -> list[date]:
    return [found.day for found in verdict.dates if found.kind is DateKind.RETURN]


def _due_times(touches: Sequence[Touch], wished: datetime | None, rules: Rules, now: datetime) -> list[datetime]:
    shift = _shift(touches, wished, now)
    times: list[datetime] = []
    for touch in touches:
        due = now + touch.after + shift
        if times:
            due = max(due, times[-1] + REST_BETWEEN_TOUCHES)
        times.append(allowed(due, rules))
    return times


def _from_own_date(touches: Sequence[Touch]) -> Sequence[Touch]:
    """With a date of the customer's own, a track begins with the touch that is meant for it; earlier ones would press."""
    meant = next((number for number, touch in enumerate(touches) if touch.own_date), 0)
    return touches[meant:]


def _after_thanks(thanks: Touch, touches: Sequence[Touch]) -> Sequence[Touch]:
    """Who is firm is thanked for the past before anything else is said (playbook S4.7)."""
    return (thanks, *(touch for touch in touches if touch.after > thanks.after))


def greeting(case: Case, number: int, since: datetime, rules: Rules) -> FollowUp | None:
    """The greeting of this number (from 1) to a contact who hibernates since then, or None: after the last there is none.

    The customer's own date was kept by the touches before; the rhythm counts from the last of them (playbook S2.2, S4.9).
    """
    greetings = rules.follow_ups.greetings
    if number > len(greetings):
        return None
    return FollowUp(
        key=digest("step", case.message, HIBERNATION, number),
        case=case.message,
        address=case.recipient.key,
        track=HIBERNATION,
        number=number,
        template=greetings[number - 1].template,
        due=allowed(since + greetings[number - 1].after, rules),
    )


def connecting(case: Case, coming: Appointment, rules: Rules, now: datetime) -> FollowUp | None:
    """The step that sends something useful before a new date (playbook S1.1); None when it would come too late."""
    due = _before(coming, rules, now)
    if due is None or due > coming.start - _SOON_ENOUGH:
        return None
    return FollowUp(
        key=digest("step", case.message, CONNECTING),
        case=case.message,
        address=case.recipient.key,
        track=CONNECTING,
        number=1,
        template="prepare",
        due=due,
    )


def _before(coming: Appointment, rules: Rules, now: datetime) -> datetime | None:
    before = rules.appointments.prepare_before
    return None if before is None else allowed(max(now, coming.start - before), rules)


def coming(history: History, now: datetime) -> Appointment | None:
    """The next appointment that lies ahead, or None."""
    ahead = [one for one in history.appointments if one.state is AppointmentState.BOOKED and one.start > now]
    return min(ahead, key=lambda one: one.start, default=None)


def _shift(touches: Sequence[Touch], wished: datetime | None, now: datetime) -> timedelta:
    """By how much the customer's date moves a track as a whole, so that its touches keep their distances."""
    return wished - now - touches[0].after if wished and touches else timedelta(0)


def allowed(moment: datetime, rules: Rules) -> datetime:
    """The first moment from this one on that lies outside the quiet hours and on an allowed weekday, in UTC."""
    zone = ZoneInfo(rules.business.timezone)
    follow = rules.follow_ups
    local = moment.astimezone(zone)
    for ahead in range(8):
        day = local.date() + timedelta(days=ahead)
        if follow.days and day.weekday() not in follow.days:
            continue
        opens, closes = _window(day, follow, zone)
        start = max(opens, local)
        if start < closes:
            return start.astimezone(moment.tzinfo)
    return moment


def rested(history: History, rules: Rules, now: datetime) -> datetime:
    """From when on another mail may go to this customer by itself (`delivery.caps.address_days`); `now` if it may at once."""
    if history.last_automatic is None or now - history.last_automatic >= rules.answers.rest:
        return now
    return allowed(history.last_automatic + rules.answers.rest, rules)


def _window(day: date, follow: FollowUpRules, zone: ZoneInfo) -> tuple[datetime, datetime]:
    opens = datetime.combine(day, follow.quiet_to, zone)
    closes_at = follow.quiet_from
    if closes_at <= follow.quiet_to:  # quiet from midnight on, or all the time but a moment: open until the day ends
        return opens, datetime.combine(day + timedelta(days=1), time(0), zone)
    return opens, datetime.combine(day, closes_at, zone)


def judge(step: FollowUp, case: Case, history: History, rules: Rules, now: datetime) -> tuple[str, datetime | None, str]:
    """Say what becomes of a due step: ("go", None, ""), ("move", new time, why) or ("drop", None, cause)."""
    connects, greets = step.track == CONNECTING, step.track == HIBERNATION
    for cause, ends in (
        ("suppressed", history.suppressed is not None),
        ("no_new_date", connects and _too_late_for(coming(history, now), now)),
        ("awake", greets and history.state is not ContactState.HIBERNATING),
        ("case_closed", not connects and history.case != case.message),
        ("enough_touches", not (connects or greets) and history.touches >= rules.follow_ups.max_touches),
        ("reason_unknown", not (connects or greets) and _asks_before_reason(step, case)),
    ):
        if ends:
            return "drop", None, cause
    if connects:
        return _judge_connecting(history, rules, now)
    if history.acknowledged is None:
        return _wait_for_review(step, case, rules, now)
    if history.last_touch and now - history.last_touch < REST_BETWEEN_TOUCHES:
        return "move", allowed(history.last_touch + REST_BETWEEN_TOUCHES, rules), "another touch went out just before"
    earliest = _not_before(step, case, history.acknowledged, rules)
    if earliest > now:
        return "move", allowed(earliest, rules), "our answer went out later than planned"
    open_at = allowed(now, rules)
    if open_at > now:
        return "move", open_at, "quiet hours"
    return "go", None, ""


def _judge_connecting(history: History, rules: Rules, now: datetime) -> tuple[str, datetime | None, str]:
    """The new date may have moved again since the step was planned."""
    ahead = coming(history, now)
    due = _before(ahead, rules, now) if ahead else None
    return ("move", due, "the date is not near yet") if due and due > now else ("go", None, "")


def _too_late_for(coming: Appointment | None, now: datetime) -> bool:
    return coming is None or coming.start - now < _SOON_ENOUGH


def _not_before(step: FollowUp, case: Case, acknowledged: datetime, rules: Rules) -> datetime:
    """A touch keeps its distance from our answer, which may have waited for a rep; a date of the customer's own stands."""
    return acknowledged if case.wished else acknowledged + _distance(step, rules) - timedelta(hours=1)


def _distance(step: FollowUp, rules: Rules) -> timedelta:
    """How long after a cancellation this touch was meant to come; nothing for one that is in no track any more."""
    touches = (*rules.follow_ups.tracks.get(step.track, ()), *filter(None, (rules.follow_ups.thanks,)))
    return next((touch.after for touch in touches if touch.template == step.template), timedelta(0))


def _asks_before_reason(step: FollowUp, case: Case) -> bool:
    """Without a known reason there is one thanks note and nothing more (playbook C, row `unspecified`)."""
    return case.reason is Reason.UNSPECIFIED and step.number > 1


def _wait_for_review(step: FollowUp, case: Case, rules: Rules, now: datetime) -> tuple[str, datetime | None, str]:
    opened = case.opened or case.sent
    own = datetime.combine(case.wished, rules.follow_ups.quiet_to, ZoneInfo(rules.business.timezone)) if case.wished else opened
    meant = max(own, opened + _distance(step, rules))  # its due time moves on with every day of waiting
    if now - meant > PATIENCE_WITH_REVIEW:
        return "drop", None, "never_acknowledged"
    return "move", allowed(now + timedelta(days=1), rules), "the acknowledgment is not out yet"
