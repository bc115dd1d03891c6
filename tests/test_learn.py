"""A site learns from its reps, and nobody can make it worse."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import MONDAY, World, mail, make_world

from pipeline import app, config, gate, gestures, jobs, learn, train
from pipeline.core.lessons import chosen
from pipeline.core.records import Intent, Lesson, Reason
from pipeline.edges import shelf
from pipeline.edges.model import LinearModel
from pipeline.errors import WinbackError
from pipeline.evaluate.judging import judge, on_own
from pipeline.evaluate.measures import macro_f1

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def words_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the sentence encoder learning takes a moment."""
    monkeypatch.setattr(train, "bundled_encoder", lambda: None)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a small corpus one mail is more than a gate allows."""
    monkeypatch.setattr(gate, "RECALL_MAY_DROP", 0.2)
    monkeypatch.setattr(gate, "MACRO_F1_MAY_DROP", 0.05)


patiently = pytest.mark.usefixtures("patient")


def every(number: int, first: int = 0) -> list[dict]:
    """One mail of so many of the shipped corpus, evenly spread, from the first one on."""
    paths = sorted((ROOT / "models" / "corpus").glob("*.jsonl"))
    lines = [line for path in paths for line in path.read_text("utf-8").splitlines()]
    return [json.loads(line) for line in lines[first::number]]


@pytest.fixture(scope="session")
def shipped() -> list[dict]:
    return every(10)


@pytest.fixture
def corpus(tmp_path: Path, shipped: list[dict]) -> Path:
    """A corpus that is quickly learnt."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for part in range(5):
        text = "\n".join(json.dumps(row) for row in shipped[part:400:5])
        (folder / f"part-{part}.jsonl").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> config.Config:
    """A site's configuration; nothing is shipped, so every site stands alone."""
    monkeypatch.setattr(app, "SHIPPED_MODEL", tmp_path / "shipped")
    path = tmp_path / "config.yaml"
    path.write_text((ROOT / "config.yaml").read_text("utf-8"), encoding="utf-8")
    return config.load(path)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A site where every acknowledgment waits for a rep."""
    made = make_world(tmp_path, acknowledgments="review")
    jobs.poll(made.site)
    made.clock.forward(minutes=1)
    return made


def corrected(world: World, words: str, to: str, sender: str = "Maria Lopez <maria@example.org>") -> str:
    """A mail comes in, and a rep says what it really is. Returns its key."""
    world.clock.forward(minutes=1)
    world.inbox.arrive(mail(words, sender=sender, uid=str(len(world.inbox.mails) + 1)))
    jobs.poll(world.site)
    jobs.work(world.site)
    key = next(line.key for line in reversed(world.site.store.overview.lines()))
    assert gestures.correct(world.site, key, to, by="outbox")
    return key


def model_of(settings: config.Config) -> LinearModel:
    return LinearModel.load(app.model_folder(settings))


@patiently
def test_what_reps_corrected_is_more_likely_read_so_the_next_time(world: World, settings: config.Config, corpus: Path):
    for number in range(3):
        corrected(world, f"Take my name off the Zumba sheet please {number}", "not_ready", f"a@shop{number}.example")
    words = ["Take my name off the Zumba sheet, thank you"]
    learn.ship(corpus, app.SHIPPED_MODEL)
    before = model_of(settings).score(words)[0]
    told = learn.learn(world.site, settings, corpus)
    after = model_of(settings).score(words)[0]
    assert "400 mails and 3 corrections" in told
    assert "SIGHUP" in told
    assert after.intent[Intent.CANCEL] > 2 * before.intent[Intent.CANCEL]
    assert max(after.reason, key=lambda each: after.reason[each]) is Reason.NOT_READY


@patiently
def test_a_mail_that_is_not_stored_any_more_is_left_out_and_told(world: World, settings: config.Config, corpus: Path):
    corrected(world, "Take my name off the sheet", "not_ready")
    world.site.store.overview.tidy(timedelta(0), timedelta(days=1), world.clock() + timedelta(days=1))
    told = learn.learn(world.site, settings, corpus)
    assert "left out: 1: its mail is not stored any more" in told
    assert "400 mails (" in told


def test_a_worse_model_does_not_take_the_place_of_a_better_one(world: World, settings: config.Config, corpus: Path):
    learn.ship(corpus, app.SHIPPED_MODEL)
    about = json.loads((app.SHIPPED_MODEL / "model.json").read_text("utf-8"))
    about["held_out"]["words"]["macro_f1"] += 0.1
    (app.SHIPPED_MODEL / "model.json").write_text(json.dumps(about), encoding="utf-8")
    with pytest.raises(learn.Kept, match="the old model stays: macro-F1 falls from"):
        learn.learn(world.site, settings, corpus)
    assert shelf.about(settings.model.folder) is None


@patiently
def test_a_model_that_was_measured_on_other_mails_is_no_yardstick(world: World, settings: config.Config, corpus: Path):
    """Then the corpus alone is learnt for comparison."""
    learn.ship(corpus, app.SHIPPED_MODEL)
    about = json.loads((app.SHIPPED_MODEL / "model.json").read_text("utf-8"))
    about |= {"corpus": "of an older version", "held_out": {"words": {"macro_f1": 0.99, "recall": {}}}}
    (app.SHIPPED_MODEL / "model.json").write_text(json.dumps(about), encoding="utf-8")
    assert "macro-F1 on mails that neither had seen" in learn.learn(world.site, settings, corpus)


@patiently
def test_one_command_brings_the_old_model_back(world: World, settings: config.Config, corpus: Path):
    learn.learn(world.site, settings, corpus)
    corrected(world, "Take my name off the sheet", "not_ready")
    first = (settings.model.folder / "model.npz").read_bytes()
    learn.learn(world.site, settings, corpus)
    assert (settings.model.folder / "model.npz").read_bytes() != first
    assert "before the last training" in learn.roll_back(settings.model.folder)
    assert (settings.model.folder / "model.npz").read_bytes() == first
    assert "the one that comes with winback" in learn.roll_back(settings.model.folder)
    with pytest.raises(WinbackError, match="none to go back from"):
        learn.roll_back(settings.model.folder)


def test_the_shipped_model_is_never_rolled_away(settings: config.Config, corpus: Path):
    learn.ship(corpus, app.SHIPPED_MODEL)
    with pytest.raises(WinbackError, match="no older one"):
        learn.roll_back(app.SHIPPED_MODEL)


@patiently
def test_who_is_erased_is_unlearnt(world: World, settings: config.Config, corpus: Path):
    key = corrected(world, "Take my name off the Zumba sheet", "not_ready")
    learn.learn(world.site, settings, corpus)
    assert shelf.about(settings.model.folder)["lessons"] == [key]
    assert learn.forget(settings.model.folder, ["somebody else's"]) is None
    told = learn.forget(settings.model.folder, world.site.store.people.keys_of("maria@example.org"))
    assert "run `winback train`" in (told or "")
    assert list(settings.model.folder.rglob("model.*")) == []


def test_building_twice_gives_the_same_bytes(corpus: Path, tmp_path: Path):
    build = "import sys; from pathlib import Path; from pipeline import learn; learn.ship(Path(sys.argv[1]), Path(sys.argv[2]))"
    for out, seed in (("one", "1"), ("two", "2")):  # sets and strings have another order in each process
        command = [sys.executable, "-c", build, str(corpus), str(tmp_path / out)]
        subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": seed}, cwd=ROOT)
    for name in ("model.json", "model.npz"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


# T32: bad feedback. A frozen part is held out in folds, a third of the mails is kept for a last look, and from the rest come
# mails that are sent in from so many mailboxes and that a rep labels wrongly, because they were made to be mislabelled.


@dataclass(frozen=True)
class Poisoned:
    """The mails that are learnt from, the source of bad ones, the mails for the last look, and how all is without bad ones."""

    seen: list[train.Example]
    source: list[train.Example]
    unseen: list[train.Example]
    standing: gate.Standing
    last: float


@pytest.fixture(scope="session")
def clean() -> Poisoned:
    found = [train.example(row, f"part-{number % 5}") for number, row in enumerate(every(5))]
    seen, source = found[0::3], found[2::3]
    # Half of the others as well: on 2,300 mails alone chance moves the last look by more than the gate lets pass.
    others = [train.example(row, "last") for first in (1, 3) for row in every(5, first)]
    unseen = [*found[1::3], *others]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "bundled_encoder", lambda: None)
        return Poisoned(seen, source, unseen, *taught(seen, [], unseen))


def poison(source: list[train.Example], count: int, senders: int) -> list[tuple[Lesson, train.Example]]:
    """Cancellations called nothing, and the other way round."""
    found = []
    for number, example in enumerate(source[:count]):
        cancels = example.labels["intent"] == "cancel"
        labels = dict.fromkeys(example.labels) | {
            "intent": "none" if cancels else "cancel",
            "reason": None if cancels else "price",
        }
        sender = f"{number % senders}@evil{number % senders}.example"
        said = Lesson(message=example.id, sender=sender, at=MONDAY, by="outbox", intent=Intent(str(labels["intent"])))
        found.append((said, replace(example, labels=labels)))
    return found


def left(bad: list[tuple[Lesson, train.Example]]) -> list[train.Example]:
    kept, _ = chosen([said for said, _ in bad])
    keys = {each.message for each in kept}
    return [example for _, example in bad if example.id in keys]


def taught(seen: list[train.Example], bad: list[train.Example], unseen: list[train.Example]) -> tuple[gate.Standing, float]:
    """How a model stands on the frozen set, and its macro-F1 on mails that nothing of this has seen."""
    found = train.teach(seen, lessons=bad)
    model = LinearModel({"heads": found.heads}, found.arrays, None)
    scores = model.score([each.text for each in unseen])
    last = [judge(example, score) for example, score in zip(unseen, scores, strict=True)]
    return gate.standing(on_own(seen, found, "words")), macro_f1(last)


@pytest.mark.slow
@pytest.mark.no_cover
@pytest.mark.parametrize("senders", [1, 5, 1_000])
@pytest.mark.parametrize("share", [0.01, 0.05, 0.1])
def test_bad_feedback_is_refused_or_does_no_harm(clean: Poisoned, share: float, senders: int):
    bad = left(poison(clean.source, round(share * len(clean.seen)), senders))
    after, last = taught(clean.seen, bad, clean.unseen)
    assert gate.objections(after, clean.standing) or clean.last - last <= gate.MACRO_F1_MAY_DROP


def test_a_flood_of_bad_feedback_is_refused(clean: Poisoned):
    """From so many mailboxes that nothing but the gate is left."""
    bad = left(poison(clean.source, len(clean.source), 10_000))
    after, _ = taught(clean.seen, bad, clean.unseen)
    assert gate.objections(after, clean.standing)


def test_bad_feedback_from_one_mailbox_is_hardly_learnt(clean: Poisoned):
    assert len(left(poison(clean.source, len(clean.source), 1))) == 3
