"""Fetch a password from where it is kept: an environment variable, a file, or the system's keyring."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from pipeline.errors import ConfigError, NeedsHuman

SERVICE = "winback"
_LARGEST = 64 * 1024


def secret(kind: str, name: str, beside: Path = Path(), *, environ: Mapping[str, str] = os.environ) -> str:
    """The password that is kept under this name. `kind` is env, file or keyring.

    A relative file lies in `beside`; a bare name is looked for in $CREDENTIALS_DIRECTORY first (systemd's LoadCredential=).
    The line end after the password is not part of it. Raises NeedsHuman when there is no usable password, with what to do,
    and ConfigError for a kind that is not there or a keyring that is not installed.
    """
    if kind == "env":
        return _from_environment(name, environ)
    if kind == "file":
        return _from_file(name, beside, environ)
    if kind == "keyring":
        return _from_keyring(name)
    raise ConfigError(f"password: {kind} is no place for a password: expected env, file or keyring, such as {{env: NAME}}")


def _from_environment(name: str, environ: Mapping[str, str]) -> str:
    value = environ.get(name, "")
    if not value:
        raise NeedsHuman(
            f"password: the environment variable {name} is not set: set it for the service, "
            "or keep the password in a file and write password: {file: PATH}"
        )
    return _one_line(value, f"the environment variable {name}")


def _from_file(name: str, beside: Path, environ: Mapping[str, str]) -> str:
    credentials = environ.get("CREDENTIALS_DIRECTORY")
    if credentials and Path(name).name == name and (Path(credentials) / name).exists():
        # The service manager guards this folder, with access lists that the mode bits show wrongly.
        return _one_line(_read(Path(credentials) / name, private=False), f"the credential {name}")
    path = beside / os.path.expanduser(name)  # noqa: PTH111 - Path.expanduser raises where there is no home folder
    return _one_line(_read(path, private=True), str(path))


def _read(path: Path, *, private: bool) -> str:
    try:
        # Not blocking, or a pipe that nobody writes to would hold up the program for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            mode = os.fstat(descriptor).st_mode
            if not stat.S_ISREG(mode):
                raise NeedsHuman(f"password: {path} is not a plain file: put the password into a file of one line")
            if private and mode & 0o077:
                raise NeedsHuman(f"password: others can read {path} too: run `chmod 600 {path}`, and change the password")
            return os.read(descriptor, _LARGEST).decode("utf-8-sig")
        finally:
            os.close(descriptor)
    except FileNotFoundError as error:
        raise NeedsHuman(f"password: there is no file {path}: write the password into it and run `chmod 600 {path}`") from error
    except UnicodeDecodeError:
        # Not chained: the error repeats the bytes it stumbled over.
        raise NeedsHuman(f"password: {path} is not UTF-8 text: save it as UTF-8") from None
    except OSError as error:
        raise NeedsHuman(f"password: {path} can't be read: {error.strerror}: make it readable for winback alone") from error


def _from_keyring(name: str) -> str:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError as error:
        raise ConfigError(
            f"password: {{keyring: {name}}} needs an extra: run `pip install 'winback[keyring]'`, "
            "or write password: {env: NAME} or {file: PATH}"
        ) from error
    try:
        value = keyring.get_password(SERVICE, name)
    except KeyringError as error:
        raise NeedsHuman(
            f"password: the keyring can't be read: {error}: unlock it, or use {{env: NAME}} or {{file: PATH}}"
        ) from error
    if not value:
        raise NeedsHuman(f"password: the keyring has none for {name}: run `keyring set {SERVICE} {name}`")
    return _one_line(value, f"the keyring entry {name}")


def _one_line(value: str, where: str) -> str:
    """The password without its line end. A second line, or nothing at all, is a mistake and no password."""
    line = value.rstrip("\r\n")
    if not line:
        raise NeedsHuman(f"password: {where} is empty: put the password in it")
    if any(character in line for character in "\r\n\0"):
        raise NeedsHuman(f"password: {where} holds more than one line: it must hold the password alone")
    return line
