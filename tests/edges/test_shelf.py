from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.edges import shelf
from pipeline.errors import WinbackError


def put(folder: Path, name: str, lessons: tuple[str, ...] = ()) -> None:
    shelf.put(folder, {"name": name, "lessons": list(lessons)}, name.encode())


def name(folder: Path) -> str | None:
    said = shelf.about(folder)
    return said and str(said["name"])


def test_a_new_model_takes_the_place_of_the_old_one_which_is_kept(tmp_path: Path):
    for each in ("first", "second", "third"):
        put(tmp_path, each)
    assert (name(tmp_path), name(tmp_path / "previous")) == ("third", "second")
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == [
        "model.json",
        "model.json",
        "model.npz",
        "model.npz",
    ]


def test_the_old_model_comes_back_byte_for_byte(tmp_path: Path):
    put(tmp_path, "first")
    before = [(tmp_path / file).read_bytes() for file in ("model.json", "model.npz")]
    put(tmp_path, "second")
    assert shelf.back(tmp_path)
    assert [(tmp_path / file).read_bytes() for file in ("model.json", "model.npz")] == before
    assert not (tmp_path / "previous").exists()


def test_behind_the_first_model_there_is_none(tmp_path: Path):
    put(tmp_path, "first")
    assert not shelf.back(tmp_path)
    assert (list(tmp_path.iterdir()), name(tmp_path)) == ([], None)


def test_a_damaged_model_is_replaced_and_not_kept(tmp_path: Path):
    put(tmp_path, "first")
    (tmp_path / "model.json").write_text("{", encoding="utf-8")
    put(tmp_path, "second")
    assert (name(tmp_path), name(tmp_path / "previous")) == ("second", None)


@pytest.mark.parametrize(
    ("first", "second", "left", "before"),
    [
        ((), ("m1",), "first", None),
        (("m1",), (), "second", None),
        (("m1",), ("m1",), None, None),
        (("m2",), ("m2",), "second", "first"),
    ],
)
def test_no_model_that_learnt_from_a_mail_stays(
    tmp_path: Path, first: tuple[str, ...], second: tuple[str, ...], left: str | None, before: str | None
):
    put(tmp_path, "first", first)
    put(tmp_path, "second", second)
    assert shelf.forget(tmp_path, ["m1", "m9"]) is ("m1" in second)
    assert (name(tmp_path), name(tmp_path / "previous")) == (left, before)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(WinbackError, match="file/models: the model can't be written"):
        put(tmp_path / "file" / "models", "first")
