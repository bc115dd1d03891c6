"""What `winback check` looks up outside: DNS matters where mail goes out by SMTP, and a silent DNS is no fault of the site."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from site_of import make_config

from pipeline.check import Finding, check
from pipeline.errors import TryLater

RECORDS = {"bluedoor.example": ["v=spf1 mx -all"], "_dmarc.bluedoor.example": ["v=DMARC1; p=none"]}


def found(config: Path, lookup: Callable[[str], list[str]]) -> list[Finding]:
    return [finding for finding in check(config, lookup) if finding.what in ("SPF", "DMARC")]


@pytest.fixture
def by_smtp(tmp_path: Path) -> Path:
    return make_config(tmp_path, delivery="smtp://127.0.0.1:9")


def test_a_maildir_needs_no_dns(tmp_path: Path):
    def asked(name: str) -> list[str]:
        raise AssertionError(f"{name} was looked up")

    assert found(make_config(tmp_path), asked) == []


def test_both_records_are_found(by_smtp: Path):
    findings = found(by_smtp, lambda name: ["something else", *RECORDS[name]])
    assert [(finding.what, finding.good) for finding in findings] == [("SPF", True), ("DMARC", True)]


def test_a_missing_record_is_bad_when_mail_goes_out_by_smtp(by_smtp: Path):
    findings = found(by_smtp, lambda name: [])
    assert [finding.good for finding in findings] == [False, False]
    assert "Ask your mail provider" in findings[0].text


def test_a_dns_that_does_not_answer_is_neither_good_nor_bad(by_smtp: Path):
    def silent(name: str) -> list[str]:
        raise TryLater("could not be looked up: timeout")

    assert [finding.good for finding in found(by_smtp, silent)] == [None, None]
