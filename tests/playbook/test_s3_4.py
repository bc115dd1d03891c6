"""S3.4: never mean: the policy is told lovingly, for every trade and in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest
from site_of import make_config

from pipeline.config import load
from pipeline.core import policy_words, tone
from pipeline.core.records import Kind, Policy

ROOT = Path(__file__).parents[2]
TRADES = sorted(path.stem for path in (ROOT / "presets").glob("*.yaml"))


def policy_of(trade: str, folder: Path) -> Policy:
    """The shipped configuration with the rules of a trade."""
    path = make_config(folder)
    kept, _, rest = path.read_text(encoding="utf-8").partition("\npolicy:\n")
    privacy = rest[rest.index("\nprivacy:") :]
    path.write_text(f"{kept}\n{(ROOT / 'presets' / f'{trade}.yaml').read_text(encoding='utf-8')}{privacy}", encoding="utf-8")
    return load(path).cancelling()


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("trade", TRADES)
def test_the_policy_of_a_trade_reads_kindly(trade: str, language: str, tmp_path: Path):
    business = load(make_config(tmp_path / "site")).rules().business
    for section in policy_words.sections(policy_of(trade, tmp_path / "trade"), language):
        for block in section.blocks:
            lines = [block] if isinstance(block, str) else block
            for line in lines:
                found = tone.faults(section.title, line, Kind.ACKNOWLEDGMENT, sensitive=False, business=business)
                unkind = [str(fault) for fault in found if "(S0.1)" in fault.says or "presses" in fault.says]
                assert unkind == [], line


def test_there_are_nine_trades():
    assert len(TRADES) == 9
