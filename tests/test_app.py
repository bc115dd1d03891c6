"""Building a site from a configuration, and building it anew while the daemon runs."""

from __future__ import annotations

import re
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from site_of import make_config

from pipeline import app
from pipeline.config import load
from pipeline.errors import WinbackError


def test_a_reload_takes_the_new_pace_and_a_model_that_was_trained_meanwhile(tmp_path: Path):
    config = make_config(tmp_path)
    with app.build(load(config), readers=0) as site:
        config.write_text(re.sub(r"poll_every: 60s", "poll_every: 90s", config.read_text(encoding="utf-8")), encoding="utf-8")
        shutil.copytree(app.SHIPPED_MODEL, load(config).model.folder)
        before = site.model.folder
        again = app.rebuild(site, load(config))
    assert (site.poll_every, again.poll_every) == (timedelta(seconds=60), timedelta(seconds=90))
    assert (before, again.model.folder) == (app.SHIPPED_MODEL, load(config).model.folder)


def test_a_reload_that_fails_leaves_everything_as_it_was(tmp_path: Path):
    config = make_config(tmp_path)
    with app.build(load(config), readers=0) as site:
        shutil.copytree(app.SHIPPED_MODEL, load(config).model.folder)
        before = site.model.folder
        (tmp_path / "a file").write_text("in the way")
        config.write_text(
            re.sub(r"(outbox:\n  folder: ).*", r"\1a file/outbox", config.read_text(encoding="utf-8")), encoding="utf-8"
        )
        with pytest.raises(WinbackError, match="a file"):
            app.rebuild(site, load(config))
        assert site.model.folder == before


def test_every_answer_that_can_be_chosen_is_asked_for():
    wanted = set(app.acknowledgments(load(app.SHIPPED / "config.yaml").rules()))
    assert {"price", "unspecified", "reschedule", "competitor", "ended", "sensitive_grief"} <= wanted
