from __future__ import annotations

import json
from datetime import date

from pipeline.core.records import DateKind, FoundDate, Intent, Reason, Sensitive, Span, Verdict
from pipeline.store import verdicts

FULL = Verdict(
    intent=Intent.CANCEL,
    reason=Reason.TIMING,
    subreason="illness",
    language="es",
    sensitive=Sensitive.ILLNESS,
    opt_out=True,
    firm=True,
    question=True,
    asked="Why?",
    dates=(FoundDate(text="enero", day=date(2027, 1, 1), kind=DateKind.CANCELLED, start=0, end=0, rough=True),),
    evidence=(Span(text="No puedo seguir.", start=-1),),
)


def test_a_verdict_comes_back_from_the_store_as_a_correction_needs_it():
    assert verdicts.read(json.loads(json.dumps(verdicts.plain(FULL)))) == FULL


def test_what_an_older_version_stored_is_read_too():
    older = {"intent": "cancel", "dates": [{"text": "Friday", "day": "2026-11-27", "kind": "cancelled"}]}
    assert not verdicts.read(older).dates[0].rough
    assert verdicts.read(None) == Verdict(intent=Intent.NONE)
