"""S4.9: the door is never closed: every text has a line that invites the person back, and follow-ups knock again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lifelike import FORMS
from site_of import make_config

from pipeline import app, preview
from pipeline.config import load

OPEN = {
    "en": r"welcome|door|happy to|be happy|glad|here (?:for|if|when|whenever|until)|we are (?:still )?here|where we are"
    r"|seeing you|good to see you|fine too|questions? (?:are|has)|possible\.|all right",
    "es": r"puertas?|casa|gusto|placer|alegrar|encantar|aquí (?:estamos|estaremos|estoy|seguimos)|dónde estamos|nos veamos"
    r"|volver|también está bien|tampoco pasa nada|no pasa nada|escribiré|noticias mías|hacerlo mejor",
}


@pytest.mark.parametrize("folder", FORMS)
def test_every_text_leaves_the_door_open(folder: str, tmp_path: Path):
    language, form = FORMS[folder]
    config = load(make_config(tmp_path, address_form=form))
    closed = [
        text.file
        for text in preview.previews(config, app.build_templates(config), language=language)
        if not re.search(OPEN[language], text.body.partition("\n\n")[2], re.I)
    ]
    assert closed == []
