"""Turn tracks into dated steps, and say of a due step whether it goes, moves or is dropped. Sends nothing."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pipeline.core.records import (
    Address,
    Case,
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

REST_BETWEEN_TOUCHES = timedelta(hours=72)  # reliability rule C6
PATIENCE_WITH_REVIEW = timedelta(days=14)
_SOONEST = timedelta(days=1)
_FARTHEST = timedelta(days=550)


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

    The customer's own date sets the date of a touch that is marked `own_date`, and no touch comes before it (playbook B8).
    """
    track = track_of(verdict, rules.follow_ups)
    if track is None:
        return ()
    touches = rules.follow_ups.tracks[track][: rules.follow_ups.max_touches]
    own = own_date(verdict, now.astimezone(ZoneInfo(rules.business.timezone)).date())
    found: list[FollowUp] = []
    for number, due in enumerate(_due_times(touches, own, rules, now), 1):
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
    days = [found.day for found in verdict.dates if found.kind is DateKind.RETURN]
    ahead = [day for day in days if today + _SOONEST <= day <= today + _FARTHEST]
    return min(ahead) if ahead else None


def _due_times(touches: tuple[Touch, ...], own: date | None, rules: Rules, now: datetime) -> list[datetime]:
    zone = ZoneInfo(rules.business.timezone)
    wished = datetime.combine(own, rules.follow_ups.quiet_to, zone) if own else None
    times: list[datetime] = []
    for touch in touches:
        due = now + touch.after
        if wished:
            due = wished if touch.own_date else max(due, wished)
        if times:
            due = max(due, times[-1] + REST_BETWEEN_TOUCHES)
        times.append(allowed(due, rules))
    return times


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


def _window(day: date, follow: FollowUpRules, zone: ZoneInfo) -> tuple[datetime, datetime]:
    opens = datetime.combine(day, follow.quiet_to, zone)
    closes_at = follow.quiet_from
    if closes_at <= follow.quiet_to:  # quiet from midnight on, or all the time but a moment: open until the day ends
        return opens, datetime.combine(day + timedelta(days=1), time(0), zone)
    return opens, datetime.combine(day, closes_at, zone)


def judge(step: FollowUp, case: Case, history: History, rules: Rules, now: datetime) -> tuple[str, datetime | None, str]:
    """Say what becomes of a due step: ("go", None, ""), ("move", new time, why) or ("drop", None, cause)."""
    for cause, ends in (
        ("suppressed", history.suppressed is not None),
        ("case_closed", history.case != case.message),
        ("enough_touches", history.touches >= rules.follow_ups.max_touches),
        ("reason_unknown", _asks_before_reason(step, case)),
    ):
        if ends:
            return "drop", None, cause
    if history.acknowledged is None:
        return _wait_for_review(step, case, rules, now)
    if history.last_touch and now - history.last_touch < REST_BETWEEN_TOUCHES:
        return "move", allowed(history.last_touch + REST_BETWEEN_TOUCHES, rules), "another touch went out just before"
    open_at = allowed(now, rules)
    if open_at > now:
        return "move", open_at, "quiet hours"
    return "go", None, ""


def _asks_before_reason(step: FollowUp, case: Case) -> bool:
    """Without a known reason there is one thanks note and nothing more (playbook C, row `unspecified`)."""
    return case.reason is Reason.UNSPECIFIED and step.number > 1


def _wait_for_review(step: FollowUp, case: Case, rules: Rules, now: datetime) -> tuple[str, datetime | None, str]:
    if now - step.due > PATIENCE_WITH_REVIEW or now - case.sent > PATIENCE_WITH_REVIEW + (step.due - case.sent):
        return "drop", None, "never_acknowledged"
    return "move", allowed(now + timedelta(days=1), rules), "the acknowledgment is not out yet"
