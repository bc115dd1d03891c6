"""S4.6: who is firm is not pressed: we say that we stay in touch from time to time, and only if we will."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lifelike import CASES, FORMS, Life, written

from pipeline.core import decide
from pipeline.core.records import Intent, Reason, Verdict

IN_TOUCH = ("from time to time", "now and then", "de vez en cuando", "de cuando en cuando")


def case(name: str, **more: object) -> Life:
    return replace(next(one for one in CASES if one.name == name), **more)


def stays(text: str) -> bool:
    return any(words in text.lower() for words in IN_TOUCH)


@pytest.mark.parametrize("folder", FORMS)
@pytest.mark.parametrize("read", [(), ("firm",)])
def test_a_firm_customer_is_asked_nothing_and_told_that_we_stay_in_touch(folder: str, read: tuple[str, ...]):
    text = written(case("price-firm", read=read), folder)
    assert "?" not in text.partition("\n\n")[2]
    assert stays(text)


@pytest.mark.parametrize("folder", FORMS)
@pytest.mark.parametrize("read", [(), ("firm",)])
def test_nothing_is_promised_when_no_follow_up_is_planned(folder: str, read: tuple[str, ...]):
    assert not stays(written(case("price-firm-no-follow-ups", read=read), folder))


@pytest.mark.parametrize(
    ("reason", "subreason", "template"),
    [
        (Reason.PRICE, None, "firm"),
        (Reason.OTHER, None, "firm"),
        (Reason.UNSPECIFIED, None, "firm"),
        (Reason.SERVICE, None, "service"),
        (Reason.NOT_READY, None, "not_ready"),
        (Reason.OTHER, "competitor", "competitor"),
        (Reason.OTHER, "moved", "ended"),
    ],
)
def test_a_complaint_keeps_its_apology_and_an_end_its_farewell(reason: Reason, subreason: str | None, template: str):
    verdict = Verdict(intent=Intent.CANCEL, reason=reason, subreason=subreason, firm=True)
    assert decide.template_of(verdict) == template
