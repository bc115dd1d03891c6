"""A password comes from where it is kept, or a sentence says what to do."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from pipeline.edges.secrets import secret
from pipeline.errors import ConfigError, NeedsHuman


def kept(path: Path, data: bytes = b"s3cret\n", mode: int = 0o600) -> Path:
    path.write_bytes(data)
    path.chmod(mode)
    return path


def test_the_environment_keeps_a_password():
    assert secret("env", "MAIL_PASSWORD", environ={"MAIL_PASSWORD": "s3cret"}) == "s3cret"


@pytest.mark.parametrize("environ", [{}, {"MAIL_PASSWORD": ""}])
def test_a_variable_that_is_not_set_is_for_a_person(environ: dict[str, str]):
    with pytest.raises(NeedsHuman, match="environment variable MAIL_PASSWORD is not set: set it"):
        secret("env", "MAIL_PASSWORD", environ=environ)


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_the_line_end_is_no_part_of_the_password(tmp_path: Path, end: bytes):
    path = kept(tmp_path / "mail", b" s3cret\xc3\xb1 " + end)
    assert secret("file", str(path), environ={}) == " s3cretñ "


def test_a_relative_file_lies_beside_the_configuration(tmp_path: Path):
    kept(tmp_path / "mail")
    assert secret("file", "mail", tmp_path, environ={}) == "s3cret"


def test_a_file_in_the_home_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    kept(tmp_path / "mail")
    assert secret("file", "~/mail", Path("/nowhere"), environ={}) == "s3cret"


def test_a_bare_name_is_a_credential_of_the_service_manager_first(tmp_path: Path):
    for folder in ("credentials", "site"):
        (tmp_path / folder).mkdir()
        # The access list that systemd sets shows up as a group's right to read.
        kept(tmp_path / folder / "mail", folder.encode(), mode=0o440 if folder == "credentials" else 0o600)
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path / "credentials")}
    assert secret("file", "mail", tmp_path / "site", environ=environ) == "credentials"
    kept(tmp_path / "site" / "other", b"site")
    assert secret("file", "other", tmp_path / "site", environ=environ) == "site"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_file_that_others_can_read_is_refused_with_the_cure(tmp_path: Path, mode: int):
    path = kept(tmp_path / "mail", mode=mode)
    with pytest.raises(NeedsHuman, match=f"chmod 600 {path}"):
        secret("file", str(path), environ={})


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"one\ntwo\n", "more than one line"),
        (b"a\0b", "one line"),
        (b"\xff\xfe", "UTF-8"),
    ],
)
def test_a_file_that_holds_no_password_is_for_a_person(tmp_path: Path, data: bytes, what: str):
    path = kept(tmp_path / "mail", data)
    with pytest.raises(NeedsHuman, match=what) as caught:
        secret("file", str(path), environ={})
    assert str(path) in str(caught.value)


def test_a_missing_file_a_folder_and_a_pipe_are_for_a_person(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name, what in (("nothing", "there is no file"), (".", "not a plain file"), ("pipe", "not a plain file")):
        with pytest.raises(NeedsHuman, match=what):
            secret("file", name, tmp_path, environ={})


def test_no_error_repeats_the_password(tmp_path: Path):
    path = kept(tmp_path / "mail", b"hunter2\nhunter2\n")
    for data in (b"hunter2\nhunter2\n", b"hunter2\xff"):
        kept(path, data)
        with pytest.raises(NeedsHuman) as caught:
            secret("file", str(path), environ={})
        assert "hunter2" not in str(caught.value)
        assert caught.value.__cause__ is None


class Keyring:
    """A keyring with one password in it, or a locked one."""

    class KeyringError(Exception):
        pass

    def __init__(self, *, locked: bool = False) -> None:
        self.locked = locked

    def get_password(self, service: str, name: str) -> str | None:
        if self.locked:
            raise self.KeyringError("locked")
        return {("winback", "dana@bluedoor.example"): "s3cret"}.get((service, name))


def install(monkeypatch: pytest.MonkeyPatch, keyring: Keyring) -> None:
    package, errors = ModuleType("keyring"), ModuleType("keyring.errors")
    package.get_password = keyring.get_password
    errors.KeyringError = Keyring.KeyringError
    monkeypatch.setitem(sys.modules, "keyring", package)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)


def test_the_keyring_keeps_a_password(monkeypatch: pytest.MonkeyPatch):
    install(monkeypatch, Keyring())
    assert secret("keyring", "dana@bluedoor.example") == "s3cret"
    with pytest.raises(NeedsHuman, match="keyring set winback nobody"):
        secret("keyring", "nobody")


def test_a_locked_keyring_is_for_a_person(monkeypatch: pytest.MonkeyPatch):
    install(monkeypatch, Keyring(locked=True))
    with pytest.raises(NeedsHuman, match="the keyring can't be read: locked: unlock it"):
        secret("keyring", "dana@bluedoor.example")


def test_a_keyring_that_is_not_installed_is_a_mistake_of_the_configuration(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ConfigError, match=r"pip install 'winback\[keyring\]'"):
        secret("keyring", "dana@bluedoor.example")


def test_any_other_place_is_a_mistake_of_the_configuration():
    with pytest.raises(ConfigError, match="expected env, file or keyring"):
        secret("vault", "mail")
