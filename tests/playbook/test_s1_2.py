"""S1.2: the benefit of the doubt: most people cancel for a good reason, and nobody has to prove his."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lifelike import FORMS
from site_of import make_config

from pipeline import app, preview
from pipeline.config import load

# What asks for proof, or lets it be felt that somebody is not believed.
DOUBTS = re.compile(
    r"\b(?:proof|prove|evidence|certificate|doctor's note|really the reason|are you sure|claim(?:s|ed)?"
    r"|justific\w+|comprobante|certificado|demostr(?:ar|arlo)|excusas?|seguro que|de verdad no)\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize("folder", FORMS)
def test_s1_2_no_text_asks_for_proof(folder: str, tmp_path: Path):
    language, form = FORMS[folder]
    config = load(make_config(tmp_path, address_form=form))
    shown = list(preview.previews(config, app.build_templates(config), language=language))
    assert len(shown) > 40
    assert [text.file for text in shown if DOUBTS.search(text.body)] == []


def test_s1_2_the_first_late_cancellation_is_let_go_as_shipped(tmp_path: Path):
    assert load(make_config(tmp_path)).cancelling().grace >= 1
