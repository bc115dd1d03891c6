"""S4.3: understand why before anything else, without threat: "tell me more", and nothing offered on the way."""

from __future__ import annotations

import pytest
from lifelike import CASES, FORMS, written

from pipeline.core import tone
from pipeline.core.records import Address, Business, Kind

BUSINESS = Business(name="Bluedoor Studio", sender=Address(name="Dana Reyes", address="dana@bluedoor.example"))


@pytest.mark.parametrize("folder", FORMS)
def test_whoever_gave_no_reason_is_invited_to_say_more_and_is_free_not_to(folder: str):
    asked = {one.name: written(one, folder) for one in CASES if one.name.startswith("unspecified") and not one.firm}
    free = ("feel like", "whether you answer or not", "silence is fine", "si le apetece", "responda o no", "si prefiere no")
    free += ("si te apetece", "respondas o no", "si prefieres no")
    assert [name for name, text in asked.items() if not any(words in text.lower() for words in free)] == []


@pytest.mark.parametrize("folder", FORMS)
def test_nothing_is_offered_before_the_reason_is_known(folder: str):
    for one in CASES:
        if not one.touch:
            text = written(one, folder).partition("\n\n")[2]
            found = tone.faults("", text, Kind.ACKNOWLEDGMENT, sensitive=False, business=BUSINESS)
            assert [fault.says for fault in found] == [], one.name
