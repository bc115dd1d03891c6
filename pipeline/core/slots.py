"""Say of a freed slot who could take it. Offers are drafts for a rep; nothing here writes to anybody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from pipeline.core.followups import REST_BETWEEN_TOUCHES
from pipeline.core.records import Appointment, AppointmentState, Rules, Waiting

_NOTICE = timedelta(hours=2)  # a slot that begins sooner helps nobody
_NIGHT = (time(22), time(6))  # an appointment at such an hour is rather one whose time zone was read wrongly
# Causes that another hour helps with. Who is ill, away, or puts it off did not look for one.
_ANOTHER_HOUR_HELPS = frozenset({None, "work", "childcare", "schedule_conflict"})


def is_free(one: Appointment, now: datetime) -> bool:
    """Whether it is a slot that somebody else could take: called off, its hour known, and far enough ahead."""
    return one.state is AppointmentState.CANCELLED and one.timed and one.start - now >= _NOTICE


def takers(one: Appointment, waiting: Sequence[Waiting], rules: Rules, now: datetime) -> tuple[Waiting, ...]:
    """Who could take a freed slot, the best first: who wished for that day, then who has waited longest.

    Nobody at night, and nobody for whom another hour is no help, whose own date is later, who had all touches, or who had a
    mail in the last three days, be it our answer (playbook B5, B8).
    """
    local = one.start.astimezone(ZoneInfo(rules.business.timezone))
    if _is_night(local.time()):
        return ()
    day = local.date()
    fit = [
        each
        for each in waiting
        if each.case.recipient.key != one.address
        and each.case.subreason in _ANOTHER_HOUR_HELPS
        and (each.case.wished is None or each.case.wished <= day)
        and each.touches < rules.follow_ups.max_touches
        and all(now - mailed >= REST_BETWEEN_TOUCHES for mailed in (each.acknowledged, each.last_touch) if mailed)
    ]
    return tuple(sorted(fit, key=lambda each: (each.case.wished != day, each.case.sent)))


def _is_night(hour: time) -> bool:
    begins, ends = _NIGHT
    return hour >= begins or hour < ends
