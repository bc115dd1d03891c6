"""S0.5: keep the customer on the radar: who is qualified is followed up by mail, a few times and gently; who is not, is not."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from lifelike import FORMS
from site_of import make_config

from pipeline import app, preview
from pipeline.config import load
from pipeline.core import followups
from pipeline.core.records import Address, Intent, Reason, Sensitive, Verdict

MARIA = Address(name="Maria Lopez", address="maria@example.org")


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory):
    return load(make_config(tmp_path_factory.mktemp("site"))).rules()


def touches(rules, **read: object):
    verdict = Verdict(intent=Intent.CANCEL, **read)
    return followups.steps("mail", MARIA, verdict, rules, preview.SENT)


@pytest.mark.parametrize("reason", [Reason.PRICE, Reason.TIMING, Reason.NOT_READY])
def test_s0_5_who_may_come_back_is_followed_up_at_most_three_times_with_days_between(rules, reason: Reason):
    found = touches(rules, reason=reason)
    assert 1 <= len(found) <= 3
    assert all((two.due - one.due).days >= 3 for one, two in pairwise(found))


@pytest.mark.parametrize("subreason", ["need_ended", "moved", "wrong_person"])
def test_s0_5_who_has_no_use_for_us_any_more_is_left_in_peace(rules, subreason: str):
    assert touches(rules, reason=Reason.OTHER, subreason=subreason) == ()


@pytest.mark.parametrize("kind", Sensitive)
def test_s0_5_nobody_in_trouble_is_followed_up(rules, kind: Sensitive):
    assert touches(rules, reason=Reason.PRICE, sensitive=kind) == ()


@pytest.mark.parametrize("folder", FORMS)
def test_s0_5_no_touch_asks_for_more_than_one_thing(folder: str, tmp_path: Path):
    language, form = FORMS[folder]
    config = load(make_config(tmp_path, address_form=form))
    names = set(config.referred_templates())
    shown = [
        text
        for text in preview.previews(config, app.build_templates(config), language=language)
        if Path(text.file).name.split(".")[0] in names
    ]
    assert shown
    assert [text.file for text in shown if text.body.count("?") > 1] == []
