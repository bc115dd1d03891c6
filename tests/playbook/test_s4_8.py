"""S4.8: who is in trouble is not questioned about "what we did wrong", not pressed, not followed up, not told of money."""

from __future__ import annotations

from pathlib import Path

import pytest
from lifelike import CASES, FORMS, Life, written
from site_of import make_config

from pipeline.config import load
from pipeline.core import decide, followups, tone
from pipeline.core.records import (
    Address,
    AnswerRules,
    History,
    Intent,
    Kind,
    Message,
    Reason,
    Screening,
    Sensitive,
    Verdict,
)
from pipeline.preview import SENT

TROUBLED = [one for one in CASES if one.sensitive]


@pytest.mark.parametrize("folder", FORMS)
@pytest.mark.parametrize("case", TROUBLED, ids=lambda case: case.name)
def test_the_text_asks_nothing_and_names_no_money(case: Life, folder: str, tmp_path: Path):
    business = load(make_config(tmp_path)).rules().business
    text = written(case, folder).partition("\n\n")[2]
    assert "?" not in text
    assert tone.faults("", text, Kind.ACKNOWLEDGMENT, sensitive=True, business=business) == ()


@pytest.mark.parametrize("kind", Sensitive)
def test_nobody_in_trouble_is_answered_without_a_person_or_followed_up(kind: Sensitive, tmp_path: Path):
    rules = load(make_config(tmp_path)).rules()
    who = Address(name="Rosa", address="rosa@example.org")
    mail = Message(key="m", sender=who, text="I lost my job.", arrived=SENT)
    verdict = Verdict(intent=Intent.CANCEL, reason=Reason.PRICE, sensitive=kind, confidence=1.0, intent_confidence=1.0)
    decision = decide.answer(mail, Screening(authenticated=True), verdict, History(), rules)
    assert (decision.review, (decision.template or "").startswith("sensitive_")) == (True, True)
    assert followups.steps("m", who, verdict, rules, SENT) == ()
    assert rules.answers == AnswerRules(acknowledgments="when_sure", follow_ups="review", sure_at=0.95)
