"""The reps' folder: drafts as files that a person reads, edits and moves. Decides nothing, touches no file outside of it."""

from __future__ import annotations

import email
import errno
import math
import os
import re
import stat
import unicodedata
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from email.errors import HeaderParseError, MissingHeaderBodySeparatorDefect
from email.header import decode_header
from email.message import Message
from html.parser import HTMLParser
from itertools import count
from pathlib import Path

from pipeline.core.records import Address, Draft
from pipeline.errors import NeedsHuman, TryLater, WinbackError

REVIEW = "review"
MOVED = ("approved", "rejected", "price", "service", "timing", "not_ready", "other", "unspecified", "not_a_cancellation")
ENDED = ("sent", "held")
FOLDERS = (REVIEW, *MOVED, *ENDED)

LARGEST = 1_000_000  # bytes of a draft file
QUIET = 2.0  # seconds since the last change, before a file counts as saved
_HEAD = 64 * 1024  # bytes in which the headers of a draft end
_LONGEST_QUOTE = 100_000  # characters
_LONGEST_NOTE = 300  # characters
_LONGEST_NAME = 240  # bytes

# What editors, mail programs and systems leave beside the files that people mean.
_LEFTOVER = re.compile(
    r"^\.|^~|^#.*#$|~$|^4913$|\.(?:tmp|temp|part|partial|crdownload|bak|lock|sw[a-p])$|^(?:desktop\.ini|thumbs\.db|icon\r)$",
    re.I,
)
_CONFLICT = re.compile(r"\.sync-conflict-\d|\((?:[^()]* )?conflict(?:ed copy|ing copy)?\b[^()]*\)|\bcopia en conflicto\b", re.I)
_NAME_END = re.compile(r" - ([0-9a-f]{4,64})(?: \(\d+\))?\.eml$")
_IDENTITY = re.compile(rb"^X-Winback-(Draft|Mail):[ \t]*(?:\n[ \t]+)?([0-9a-f]{8,64})[ \t]*$", re.I | re.M)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_NOTE_IN_TEXT = re.compile(r"^[> ]*X-Winback-[\w-]+:", re.I | re.M)


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A file that a rep moved: what it is a file of, where it lies, and the words in it.

    `draft_key` is set for a draft, `mail_key` for a customer's mail from held/. `text` is all that stands below the headers of
    a draft, with `\\n` line ends, NFC, without spaces at line ends. `problem` says why the file can't be used as it is, and
    what to do; it stays where it lies. `named` is the beginning of a key that its name ends with: a hint, no identity.
    """

    draft_key: str | None
    folder: str
    name: str
    subject: str = ""
    text: str = ""
    mail_key: str | None = None
    problem: str | None = None
    named: str | None = None
    several: tuple[str, ...] = ()


def shown(draft: Draft) -> str:
    """The text of a draft as its file shows it, and as a scan finds it when nobody edited it."""
    quote = draft.quote if len(draft.quote) <= _LONGEST_QUOTE else f"{draft.quote[:_LONGEST_QUOTE]}\n> [...]"
    return _tidy(f"{draft.text}\n\n{quote}")


def titled(draft: Draft) -> str:
    """The subject of a draft as its file shows it, and as a scan finds it when nobody edited it."""
    return unicodedata.normalize("NFC", _value(draft.subject))


class Outbox:
    """The outbox folder with its review/, approved/, rejected/, a folder for each reason, sent/ and held/.

    A draft is known by the key inside its file, never by the name; links are not followed; a file is there whole or not at all.
    Every method raises TryLater when the disk is full or busy and NeedsHuman when only a person can mend the folder, both with
    the path and what to do. `now` is the business's time: its date stands in the names.
    """

    def __init__(self, folder: Path) -> None:
        with _translated(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder = folder.resolve()
        for name in FOLDERS:
            with self._opened(name):
                pass

    def publish(self, drafts: Sequence[Draft], sender: Address, now: datetime) -> list[str]:
        """Write drafts' files into review/ and give their names. A file that is there already, edited perhaps, is left.

        Each file is on the disk before its name appears; the names are, all together, before this returns.
        """
        names = []
        with self._opened(REVIEW) as folder:
            there = _by_key(folder, [draft.key for draft in drafts])
            for draft in drafts:
                data = _draft_file(draft, sender, (("X-Unsent", "1"),))
                names.append(there.get(draft.key) or _put(folder, _names(draft, now), data, sync=False))
            _sync(folder)
        return names

    def scan(self, now: datetime) -> list[Found]:
        """All files that reps moved out of review/, folder by folder; those changed in the last two seconds come next time."""
        found = []
        for name in MOVED:
            with self._opened(name) as folder:
                found += [_look(folder, name, entry, now) for entry in _entries(folder) if not _LEFTOVER.search(entry)]
        return [each for each in found if each is not None]

    def settle(self, name: str, from_folder: str, to_folder: str, *, cause: str | None = None, now: datetime) -> str:
        """Move a file to where it ends, with the cause in a header, and give its new name: no file there is overwritten.

        A file that is gone already is no error: a rep took it away, or it was settled before a crash.
        """
        with self._opened(from_folder) as source, self._opened(to_folder) as target:
            data = _read(source, _plain(name))
            if data is None:
                return name
            if cause is None:
                place = next(free for free in _numbered(name) if not _lies(target, free))
                try:
                    os.rename(name, place, src_dir_fd=source, dst_dir_fd=target)
                except FileNotFoundError:  # taken away since it was read
                    return name
            else:
                note = f"X-Winback-Cause: {_value(cause)} ({now.date()})\n".encode()
                place = _put(target, _numbered(name), note + _unwrapped(data))
                with suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=source)
            _ended(target, place, now)
            _sync(target)
            _sync(source)
        return place

    def store_sent(self, draft: Draft, sender: Address, now: datetime, folder: str = "sent", cause: str | None = None) -> str:
        """Write what became of a mail into sent/ or held/ and give the name of its file: one file in one of the two."""
        causes = (("X-Winback-Cause", _value(cause)),) if cause else ()
        data = _draft_file(draft, sender, causes)
        with self._opened(folder) as target:
            name = _named(target, draft.key)
            if name:
                _write(target, name, data)
            else:
                name = _put(target, _names(draft, now), data)
            _ended(target, name, now)
        for other in ENDED:
            with self._opened(other) as target:
                if other != folder and (old := _named(target, draft.key)):
                    _remove(target, old)
        return name

    def keep(self, key: str, name: str, data: bytes, cause: str, now: datetime) -> str:
        """Write a customer's mail that waits for a person into held/ and give the name of its file.

        A rep who moves it into the folder of a reason says what it is: a scan then finds it with its `mail_key`.
        """
        head = f"X-Winback-Cause: {_value(cause)}\nX-Winback-Mail: {key}\n".encode()
        # Headers of ours in a stranger's mail are not ours.
        mail = re.sub(rb"^(X-Winback-(?:Draft|Mail|Cause)[ \t]*:)", rb"X-Foreign-\1", _lines(data), flags=re.I | re.M)
        who = _safe(name) or "unknown"
        names = (f"{now.date()} {who} - held - {key[:length]}.eml" for length in _lengths(key))
        with self._opened("held") as folder:
            found = _named(folder, key)
            if found is None:
                found = _put(folder, names, head + (mail.lstrip(b"\n") or f"\n{_value(cause)}\n".encode()))
                _ended(folder, found, now)
            return found

    def discard(self, key: str, folder: str = REVIEW) -> None:
        """Take every file of a draft out of review/, or of a draft or mail out of another folder."""
        with self._opened(folder) as opened:
            while found := _holding(opened, key):
                _remove(opened, found)

    def places(self, draft_keys: Collection[str]) -> dict[str, str]:
        """The folder in which each of these drafts lies, under whatever name, of those where reps work."""
        found: dict[str, str] = {}
        left = set(draft_keys)
        for name in (REVIEW, *MOVED) if left else ():
            with self._opened(name) as folder:
                found.update(dict.fromkeys(_by_key(folder, sorted(left)), name))
            left -= found.keys()
        for name in (REVIEW, *MOVED) if left else ():
            with self._opened(name) as folder:
                for entry in _entries(folder):
                    if not _LEFTOVER.search(entry) and (key := _only_key(_read(folder, entry, _HEAD))) in left:
                        found[key] = name
            left -= found.keys()
        return found

    def missing(self, draft_keys: Sequence[str]) -> list[str]:
        """Which of these drafts, all of which wait, have no file where reps work."""
        found = self.places(draft_keys)
        return [key for key in draft_keys if key not in found]

    def astray(self, draft_keys: Sequence[str]) -> list[tuple[str, str, str]]:
        """The files of these drafts, all of which wait, in sent/ and held/: key, folder and name of each."""
        found = []
        for where in ENDED if draft_keys else ():
            with self._opened(where) as folder:
                found += [(key, where, name) for key, name in _by_key(folder, draft_keys).items()]
        return found

    def versions(self, draft_key: str) -> list[Found]:
        """All files of a draft where reps work, each with the words in it and what is wrong with it if it is to go out.

        With them comes what has its name in review/ and lost its key.
        """
        found = []
        for where in (REVIEW, *MOVED):
            with self._opened(where) as folder:
                for name in _entries(folder):
                    data = None if _LEFTOVER.search(name) else _read(folder, name, LARGEST + 1)
                    keys = _keys(data or b"")
                    if data is not None and draft_key in keys:
                        found.append(replace(_found("approved", name, data), folder=where))
                    elif data and not keys and where == REVIEW and draft_key.startswith(_named_like(name) or "?"):
                        found.append(Found(draft_key=None, folder=where, name=name, problem=_KEYLESS))
        return found

    def erase(self, keys: Collection[str]) -> int:
        """Take every file of these drafts and mails away, whatever folder it lies in, and the notes on it. Returns how many.

        A file that says of itself what it is is believed; one that does not is taken for what its name says.
        """
        gone = 0
        for name in FOLDERS:
            with self._opened(name) as folder:
                ours = [entry for entry in _entries(folder) if _concerns(folder, entry, keys)]
                for entry in ours:
                    _remove(folder, entry)
            for entry in ours:
                self.clear_note(f"{name} {entry}")
            gone += len(ours)
        return gone

    def tidy(self, before: datetime) -> int:
        """Take away what ended in rejected/, sent/ and held/ before that moment, unless a person changed it since.

        Returns how many files went. Only files of winback go: what else a person keeps there is theirs.
        """
        gone = 0
        for name in ("rejected", *ENDED):
            with self._opened(name) as folder:
                for entry in _entries(folder):
                    if _changed(folder, entry) < before.timestamp() and _keys(_read(folder, entry, _HEAD) or b""):
                        _remove(folder, entry)
                        gone += 1
        return gone

    def remove(self, folder: str, name: str) -> None:
        """Take one file away. One that is gone already is no error."""
        with self._opened(folder) as opened:
            _remove(opened, _plain(name))

    def note(self, name: str, text: str) -> None:
        """Leave a note for the reps: a text file in the outbox folder itself, `NOTE - <name>.txt`."""
        data = f"{_tidy(text)}\n".encode()
        with _directory(self._folder) as folder:
            if _read(folder, _note_file(name)) != data:
                _write(folder, _note_file(name), data)

    def clear_note(self, name: str) -> None:
        """Take a note away."""
        with _directory(self._folder) as folder:
            _remove(folder, _note_file(name))

    def complain(self, problems: Mapping[str, str]) -> None:
        """Leave a note on each of these files (`folder/name`, and what is wrong), and take the notes on all others away."""
        for place, problem in problems.items():
            self.note(place.replace("/", " ", 1), f"{place}: {problem}")
        kept = {_note_file(place.replace("/", " ", 1)) for place in problems}
        with _directory(self._folder) as folder:
            for entry in _entries(folder):
                if entry not in kept and _is_on_a_file(folder, entry):
                    _remove(folder, entry)

    @contextmanager
    def _opened(self, name: str) -> Iterator[int]:
        """A descriptor of one of our folders. One that somebody deleted is made again, but never the outbox itself."""
        if name not in FOLDERS:
            raise ValueError(f"{name!r} is no folder of the outbox")
        with _translated(self._folder / name), suppress(FileExistsError):
            (self._folder / name).mkdir(mode=0o700)
        with _directory(self._folder / name) as folder:
            yield folder


@contextmanager
def _directory(path: Path) -> Iterator[int]:
    # All work is done relative to this descriptor: whatever happens to the path meanwhile, no file elsewhere is reached.
    with _translated(path):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


_SOON = {
    errno.ENOSPC: "the disk is full: make room; the drafts are safe in the store and are written then",
    errno.EDQUOT: "the disk quota is used up: make room; the drafts are safe in the store and are written then",
    **dict.fromkeys(
        (errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.ESTALE, errno.ETIMEDOUT, errno.EMFILE, errno.ENFILE),
        "the folder does not answer now: it is tried again",
    ),
}
_HUMAN = {
    errno.ENOENT: "the folder is gone: make it again, or mount its disk",
    errno.EACCES: "winback may not work here: give its user the folder (chown) with all rights (chmod 700)",
    errno.EPERM: "winback may not work here: give its user the folder (chown) with all rights (chmod 700)",
    errno.EROFS: "the disk is read-only: mount it for writing",
    errno.ENOTDIR: "this is a link or a file, and must be a folder: take it away, and winback makes the folder",
    errno.ELOOP: "this is a link, and must be a folder: take it away, and winback makes the folder",
}


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        number = error.errno or 0
        kind: type[WinbackError] = TryLater if number in _SOON else NeedsHuman
        what = _SOON.get(number) or _HUMAN.get(number) or "look after the disk"
        raise kind(f"{path}: {error.strerror or error}: {what}") from error


def _plain(name: str) -> str:
    """The name, if it is the name of a file in a folder and not a way out of it."""
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise ValueError(f"{name!r} is no file name")
    return name


def _entries(folder: int) -> list[str]:
    return sorted(os.listdir(folder))


def _read(folder: int, name: str, limit: int = -1) -> bytes | None:
    """The bytes of a plain file; None if there is no such file, or it is a link, a folder or a device."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP, errno.ENXIO):
            return None
        raise
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(limit)
    finally:
        os.close(descriptor)


def _put(folder: int, names: Iterable[str], data: bytes, *, sync: bool = True) -> str:
    """Write a new file under the first name that is free; one that holds these very bytes already is taken for it."""
    for name in names:
        if not _lies(folder, name):
            _write(folder, name, data, sync=sync)
            return name
        if _read(folder, name) == data:
            return name
    raise NeedsHuman(f"the outbox has foreign files under every name for a draft: move them away, the last is {name}")


def _write(folder: int, name: str, data: bytes, *, sync: bool = True) -> None:
    part = f".{zlib.crc32(os.fsencode(name)):08x}.part"
    # Left by a crash; it must not be opened again, for it could be anything.
    with suppress(FileNotFoundError):
        os.unlink(part, dir_fd=folder)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(part, flags, 0o600, dir_fd=folder), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.rename(part, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        with suppress(OSError):
            os.unlink(part, dir_fd=folder)
        raise
    if sync:
        _sync(folder)


def _remove(folder: int, name: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)
        _sync(folder)


def _sync(folder: int) -> None:
    try:
        os.fsync(folder)
    except OSError as error:
        # Some network file systems have no such call for folders, and keep their own order.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise


def _lies(folder: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _named(folder: int, key: str) -> str | None:
    """The file whose name ends like one of this key, and which is one."""
    for name in _entries(folder):
        end = _NAME_END.search(name)
        if end and key.startswith(end[1]) and key in _keys(_read(folder, name, _HEAD) or b""):
            return name
    return None


def _named_like(name: str) -> str | None:
    """The beginning of the key that a file's name ends with."""
    end = _NAME_END.search(name)
    return end[1] if end else None


def _concerns(folder: int, name: str, keys: Collection[str]) -> bool:
    """Whether a file is one of these keys, by what is inside or else by its name."""
    data = _read(folder, name, _HEAD)
    inside = _keys(data) if data is not None else {}
    named = _named_like(name)
    if inside or data is None or named is None:
        return not inside.keys().isdisjoint(keys)
    return any(key.startswith(named) for key in keys)


def _ended(folder: int, name: str, now: datetime) -> None:
    """Date a file by when its matter ended: how long it is kept counts from there."""
    with suppress(FileNotFoundError):
        os.utime(name, (now.timestamp(), now.timestamp()), dir_fd=folder, follow_symlinks=False)


def _changed(folder: int, name: str) -> float:
    """When a file was last changed, in seconds since 1970; never, if it is gone."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime
    except FileNotFoundError:
        return math.inf


def _by_key(folder: int, keys: Sequence[str]) -> dict[str, str]:
    """The files of these keys, found by their names in one look at the folder; one that holds more than one key is nobody's."""
    wanted: dict[str, list[str]] = {}
    for key in keys:
        wanted.setdefault(key[:4], []).append(key)
    found: dict[str, str] = {}
    for name in _entries(folder):
        end = _NAME_END.search(name)
        likely = [key for key in wanted.get(end[1][:4], ()) if key.startswith(end[1])] if end else []
        if likely and (inside := _only_key(_read(folder, name, _HEAD))) in likely:
            found[inside] = name
    return found


def _holding(folder: int, key: str) -> str | None:
    """The file that is one of this key, whatever its name."""
    return next((name for name in _entries(folder) if key in _keys(_read(folder, name, _HEAD) or b"")), None)


def _keys(data: bytes) -> dict[str, str]:
    """What a file says that it is: keys, each with `draft` or `mail`."""
    head = _unwrapped(data).partition(b"\n\n")[0]
    return {key.decode().lower(): kind.decode().lower() for kind, key in _IDENTITY.findall(head)}


def _only_key(data: bytes | None) -> str:
    """The key in a file that holds no other, or an empty text."""
    keys = _keys(data or b"")
    return next(iter(keys)) if len(keys) == 1 else ""


def _lengths(key: str) -> Iterator[int]:
    return (length for length in (4, 6, 8, 12, 16, len(key)) if length <= len(key))


def _names(draft: Draft, now: datetime) -> Iterator[str]:
    local = draft.recipient.address.rpartition("@")[0]
    who = _safe(draft.recipient.name) or _safe(local) or "unknown"
    what = _safe(draft.reason or draft.kind, 24)
    return (f"{now.date()} {who} - {what} - {draft.key[:length]}.eml" for length in _lengths(draft.key))


def _numbered(name: str) -> Iterator[str]:
    """The name, then `name (2)`, `name (3)` ..., none longer than file systems take."""
    stem, suffix = Path(name).stem, Path(name).suffix
    short = stem if len(os.fsencode(name)) <= _LONGEST_NAME else stem[:50]
    yield name
    yield from (f"{short} ({number}){suffix[:10]}" for number in count(2))


def _note_file(name: str) -> str:
    return f"NOTE - {_safe(name, 100)}.txt"


def _is_on_a_file(folder: int, name: str) -> bool:
    """Whether this is a note of ours on a moved file. A person's own note may have the same name, but not begin like one."""
    where = next((where for where in MOVED if name.startswith(f"NOTE - {where} ")), None)
    return where is not None and (_read(folder, name, _HEAD) or b"").startswith(f"{where}/".encode())


_NOT_IN_NAMES = re.compile(r'[/\\:*?"<>|]')


def _safe(text: str, longest: int = 60) -> str:
    """A part of a file name that is one on every system: no path, control or direction characters, no dot at an end.

    It never stands alone in a name, so that the names which Windows keeps for devices do no harm.
    """
    # Format characters (zero widths, directions) vanish, so that a name reads as it is written.
    seen = "".join(character for character in unicodedata.normalize("NFC", text) if unicodedata.category(character) != "Cf")
    plain = "".join(character if character.isprintable() else " " for character in _NOT_IN_NAMES.sub(" ", seen))
    short = " ".join(plain.split())[:longest].encode()[: 2 * longest].decode(errors="ignore")
    return short.strip(". ")


def _draft_file(draft: Draft, sender: Address, more: tuple[tuple[str, str], ...]) -> bytes:
    """A draft as a mail file that any editor shows well: raw UTF-8, `\\n` line ends, our notes right above the text.

    The key is the last header. Should an empty line slip in between, no key is found, and no note goes out as text.
    """
    threading = ((name, value) for name, value in draft.headers if name.lower() in ("in-reply-to", "references"))
    headers = (
        ("From", _mailbox(sender)),
        ("To", _mailbox(draft.recipient)),
        ("Subject", draft.subject),
        *threading,
        ("MIME-Version", "1.0"),
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Transfer-Encoding", "8bit"),
        *more,
        *((_note_header(name), _shortened(value)) for name, value in draft.notes),
        ("X-Winback-Draft", draft.key),
    )
    head = "".join(f"{name}: {_value(value)}\n" for name, value in headers)
    return f"{head}\n{shown(draft)}\n".encode()


def _note_header(name: str) -> str:
    word = re.sub(r"[^A-Za-z0-9]+", "-", name.removeprefix("X-Winback-")).strip("-")
    if word.lower() in ("", "draft", "mail"):
        raise ValueError(f"a note can't be called {name!r}")
    return f"X-Winback-{word}"


def _shortened(value: str) -> str:
    return value if len(value) <= _LONGEST_NOTE else f"{value[:_LONGEST_NOTE]}…"


def _mailbox(who: Address) -> str:
    if not who.name:
        return who.address
    escaped = re.sub(r'(["\\])', r"\\\1", who.name)
    return f'"{escaped}" <{who.address}>' if re.search(r'[()<>@,;:.\[\]"\\]', who.name) else f"{who.name} <{who.address}>"


def _value(text: str) -> str:
    """A header value: one line, whatever it was."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def _tidy(text: str) -> str:
    """Text with `\\n` line ends, NFC, without control characters, spaces at line ends and empty lines at either end."""
    lines = re.split(r"\r\n|[\r\n\x0b\x0c\x85\u2028\u2029]", unicodedata.normalize("NFC", text))
    return "\n".join(_CONTROL.sub("", line).rstrip() for line in lines).strip("\n")


def _look(folder: int, where: str, name: str, now: datetime) -> Found | None:
    """What a file is; None if it is not meant for us, not there any more, or perhaps not fully saved."""
    readable = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if abs(now.timestamp() - status.st_mtime) < QUIET:
            return None
        if not name.isprintable():
            problem = "its name holds characters that can't be shown; rename it"
            return Found(draft_key=None, folder=where, name=_value(readable), problem=problem)
        if stat.S_ISDIR(status.st_mode):
            return Found(draft_key=None, folder=where, name=name, problem=_FOLDER)
        data = _read(folder, name, LARGEST + 1)
    except FileNotFoundError:
        return None
    except PermissionError:
        problem = "winback may not read this file; give its user the right to, or save it again"
        return Found(draft_key=None, folder=where, name=_value(readable), problem=problem)
    return None if data is None else replace(_found(where, name, data), named=_named_like(name))


def _found(folder: str, name: str, data: bytes) -> Found:
    keys = _keys(data)
    if len(keys) != 1:
        return Found(draft_key=None, folder=folder, name=name, problem=_no_single_key(keys, data), several=tuple(keys))
    ((key, kind),) = keys.items()
    if kind == "mail":
        # The words of a held mail come from the store: its file may be as big and as strange as strangers' mails are.
        problem = "a customer's mail is no draft; move it into the folder of its reason" if folder == "approved" else None
        return Found(draft_key=None, mail_key=key, folder=folder, name=name, problem=problem)
    subject, text, problem = _content(data)
    if _CONFLICT.search(name):
        problem = "a sync program left two versions of this draft; delete one of them and give the other its old name back"
    elif folder != "approved":
        # Where a draft lies says all; only what goes out must be fit to.
        problem = None
    return Found(draft_key=key, folder=folder, name=name, subject=subject, text=text, problem=problem)


def _no_single_key(keys: dict[str, str], data: bytes) -> str:
    if keys:
        return _SEVERAL
    if re.search(rb"^X-Winback-Draft:", _unwrapped(data), re.I | re.M):
        return _DAMAGED
    return "not a draft of winback; left alone"


_SEVERAL = "holds more than one draft; take it away and use the files as they were"
_KEYLESS = "its last header line is missing or damaged; put it back, or delete the file to have the text as winback wrote it"
_FOLDER = "is a folder, and winback looks into none: move the files in it here one by one, and take the folder away"
_DAMAGED = "the lines above the text are damaged; keep them as they were, with the one empty line below them, and save it again"


def _content(data: bytes) -> tuple[str, str, str | None]:
    """Subject and text of a draft as it was saved last, and why it can't go out, or None."""
    if len(data) > LARGEST:
        return "", "", f"bigger than {LARGEST // 1_000_000} MB; a draft holds text alone: remove what else is in it"
    try:
        mail = email.message_from_bytes(_unwrapped(data))
        leaves = [part for part in mail.walk() if not part.is_multipart()]
        subject, text = _subject(mail), _text(leaves)
    except Exception:  # noqa: BLE001 - one mangled file must not keep the others from being read
        return "", "", "can't be read any more; take it away and use a fresh copy of the draft"
    if any(isinstance(defect, MissingHeaderBodySeparatorDefect) for defect in mail.defects) or _NOTE_IN_TEXT.search(text):
        return subject, text, _DAMAGED
    if any(part.get_content_disposition() == "attachment" for part in leaves):
        return subject, text, "has an attachment, and winback sends text alone; remove it, or send this mail yourself"
    if not text:
        return subject, text, "there is no text in it; write one and save it again, or move it to rejected/"
    return subject, text, None


def _lines(data: bytes) -> bytes:
    """The data with `\\n` line ends."""
    # A run of CRs is taken in one piece: a search that tries each of them stands still on a mail that is nothing else.
    plain = data.replace(b"\r\n", b"\n")
    return re.sub(rb"\r+\n?", lambda end: b"\n" if end[0].endswith(b"\n") else b"\n" * len(end[0]), plain)


def _unwrapped(data: bytes) -> bytes:
    """A mail file as UTF-8 with `\\n` line ends, beginning with its first header."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        data = data.decode("utf-16", "replace").encode()
    data = _lines(data.removeprefix(b"\xef\xbb\xbf")).lstrip(b"\n")
    return data.partition(b"\n")[2] if data.startswith(b"From ") else data


def _decoded(data: bytes, charset: str | None) -> str:
    # UTF-8 first, whatever the header says: an editor changes the one and not the other, and other text is hardly ever UTF-8.
    for name in ("utf-8", charset or "cp1252"):
        with suppress(UnicodeDecodeError, LookupError, ValueError):
            return data.decode(name)
    return data.decode("cp1252", "replace")


def _subject(mail: Message) -> str:
    raw = next((str(value) for name, value in mail.raw_items() if name.lower() == "subject"), "")
    value = _decoded(raw.encode("utf-8", "surrogateescape"), None)
    with suppress(HeaderParseError):
        if "=?" in value:
            parts = decode_header(value)
            value = "".join(
                part if isinstance(part, str) else _decoded(part, charset or "raw-unicode-escape") for part, charset in parts
            )
    return unicodedata.normalize("NFC", _value(value))


def _text(leaves: list[Message]) -> str:
    """The first plain text that is not empty, else the first HTML, as text."""
    shown = [part for part in leaves if part.get_content_disposition() != "attachment"]
    for kind in ("text/plain", "text/html"):
        for part in shown:
            text = _tidy(_part_text(part)) if part.get_content_type() == kind else ""
            if text:
                return text
    return ""


def _part_text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    text = _decoded(payload, part.get_content_charset()) if isinstance(payload, bytes) else ""
    if part.get_content_type() == "text/html":
        return _Html.text_of(text)
    if str(part.get_param("format", "")).lower() == "flowed":
        return _unflowed(text, delsp=str(part.get_param("delsp", "")).lower() == "yes")
    return text


def _unflowed(text: str, *, delsp: bool) -> str:
    """The paragraphs of a format=flowed text (RFC 3676 section 4): a line that ends in a space goes on in the next one."""
    lines: list[str] = []
    goes_on, depth = False, 0
    for line in text.split("\n"):
        words = line.lstrip(">")
        level = len(line) - len(words)
        words = words.removeprefix(" ")
        if goes_on and level == depth:
            lines[-1] += words
        else:
            lines.append(f"{'>' * level} {words}" if level else words)
        goes_on, depth = words.endswith(" ") and words != "-- ", level
        if goes_on and delsp:
            lines[-1] = lines[-1][:-1]
    return "\n".join(lines)


class _Html(HTMLParser):
    """The text of an HTML mail: blocks on lines of their own, quotes behind `>`."""

    _SILENT = frozenset({"head", "title", "style", "script"})
    _PARAGRAPHS = frozenset({"p", "blockquote", "ul", "ol", "table", "h1", "h2", "h3", "pre"})
    _LINES = frozenset({"div", "li", "tr", "br", "hr"})

    def __init__(self) -> None:
        super().__init__()
        self._out: list[str] = [""]
        self._quoted = 0
        self._silent = 0

    @classmethod
    def text_of(cls, html: str) -> str:
        parser = cls()
        parser.feed(html)
        parser.close()
        return re.sub(r"\n(?:[> ]*\n){2,}", "\n\n", "\n".join(parser._out))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in self._SILENT
        self._break(tag)
        self._quoted += tag == "blockquote"

    def handle_endtag(self, tag: str) -> None:
        self._silent = max(0, self._silent - (tag in self._SILENT))
        self._quoted = max(0, self._quoted - (tag == "blockquote"))
        self._break(tag)

    def handle_data(self, data: str) -> None:
        words = " ".join(re.split(r"[ \t\r\n]+", data))
        if self._silent or not (words.strip() or self._out[-1]):
            return
        if not self._out[-1]:
            self._out[-1] = "> " * self._quoted
            words = words.lstrip(" ")
        self._out[-1] += words

    def _break(self, tag: str) -> None:
        if tag == "br" or (tag in self._LINES | self._PARAGRAPHS and self._out[-1]):
            self._out.append("")
        if tag in self._PARAGRAPHS and len(self._out) > 1 and self._out[-2]:
            self._out.append("")
