"""Say of a freed slot who could take it. Offers are drafts for a rep; nothing here writes to anybody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pipeline.core.followups import REST_BETWEEN_TOUCHES
from pipeline.core.records import Appointment, AppointmentState, Rules, Waiting

_NOTICE = timedelta(hours=2)  # a slot that begins sooner helps nobody


def is_free(one: Appointment, now: datetime) -> bool:
    """Whether it is a slot that somebody else could take: called off, its hour known, and far enough ahead."""
    return one.state is AppointmentState.CANCELLED and one.timed and one.start - now >= _NOTICE


def takers(one: Appointment, waiting: Sequence[Waiting], rules: Rules, now: datetime) -> tuple[Waiting, ...]:
    """Who could take a freed slot, the best first: who wished for that day, then who has waited longest.

    Nobody whose own date is later, who had all touches, or who had a mail in the last three days (playbook B5, B8).
    """
    day = one.start.astimezone(ZoneInfo(rules.business.timezone)).date()
    fit = [
        each
        for each in waiting
        if each.case.recipient.key != one.address
        and (each.case.wished is None or each.case.wished <= day)
        and each.touches < rules.follow_ups.max_touches
        and (each.last_touch is None or now - each.last_touch >= REST_BETWEEN_TOUCHES)
    ]
    return tuple(sorted(fit, key=lambda each: (each.case.wished != day, each.case.sent)))
