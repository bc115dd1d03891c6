from __future__ import annotations

from pathlib import Path

import pytest

from evaluate.test_report import RICH
from pipeline import train
from pipeline.evaluate import card

ROOT = Path(__file__).parents[2]
CARD = ROOT / "models" / "MODEL_CARD.md"


def test_the_card_is_that_of_the_corpus_and_of_the_code():
    """If this fails, run `make evaluate`: the corpus, the learner or a measure has changed since the card was written."""
    written = CARD.read_text(encoding="utf-8")
    examples = train.read(ROOT / "models" / "corpus")
    assert f"Corpus: {len(examples)} mails, digest `{train.digest(examples)[:16]}`" in written
    assert f"exam: digest\n`{card.exam_digest(ROOT / 'models' / 'exam')[:16]}`" in written
    assert f"code: digest `{card.code_digest(ROOT / 'pipeline')[:16]}`" in written


def test_the_card_ends_with_the_experiments_as_they_are():
    assert CARD.read_text(encoding="utf-8").endswith((ROOT / "models" / "experiments.md").read_text(encoding="utf-8"))


def test_a_change_of_the_code_changes_its_digest_and_a_comment_does_not(tmp_path: Path):
    for name in card.SOURCES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x = 1\n", encoding="utf-8")
    before = card.code_digest(tmp_path)
    (tmp_path / "train.py").write_text("# one\n\nx = 1\n", encoding="utf-8")
    assert card.code_digest(tmp_path) == before
    (tmp_path / "train.py").write_text("x = 2\n", encoding="utf-8")
    assert card.code_digest(tmp_path) != before


@pytest.mark.parametrize("others", [[], RICH])
def test_every_gap_in_the_card_is_filled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, others: list):
    monkeypatch.setattr(card.train, "bundled_encoder", lambda: None)
    monkeypatch.setattr(card, "on_file", lambda path, model: others)
    lines = [line for path in sorted((ROOT / "models/corpus").glob("*.jsonl")) for line in path.read_text("utf-8").splitlines()]
    for part in range(5):
        (tmp_path / f"part-{part}.jsonl").write_text("\n".join(lines[part * 37 :: 185]), encoding="utf-8")
    text = card.card(tmp_path, tmp_path, tmp_path, None, "## Experiments", lambda what, done, total: None)  # type: ignore[arg-type]
    assert "{" not in text and "}" not in text
    assert text.endswith("## Experiments")
    assert ("### Confusion, texts of others" in text) is bool(others)
    assert "| opt_out |" in text
    assert "| precision of opt_out |" in text
