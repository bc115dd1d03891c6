"""An IMAP folder as an inbox: gives its new mails in batches and waits for the next. Changes nothing there but a keyword."""

from __future__ import annotations

import logging
import re
import select
import socket
import ssl
import time as clocks
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import (
    CapabilityError,
    IMAPClientAbortError,
    IMAPClientError,
    IMAPClientReadOnlyError,
    LoginError,
)

from pipeline.core.records import Batch, Beginning, Cursor, Place, Raw
from pipeline.edges.tls import is_loopback, verifying
from pipeline.errors import ConfigError, NeedsHuman, TryLater, Unreachable

log = logging.getLogger("winback.imap")

_SCHEMES = {"tls": "imaps", "starttls": "imap+starttls"}
KEYWORD = b"$Winback"
BATCH_MAILS = 200
BATCH_BYTES = 16 << 20
HEADER_BYTES = 1 << 20
SEARCH_SPAN = 50_000  # imaplib takes no answer line above 1,000,000 bytes
RENEW_IDLE = 9 * 60.0  # RFC 2177 asks for less than 29 minutes; routers forget silent connections sooner
GOODBYE = 5.0
_SENT = b"\\Sent"  # RFC 6154
_ID = "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]"
_SEARCHABLE = re.compile(r"[A-Za-z0-9@._<>-]+")
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

# Whatever a server says that is no IMAP comes out of imaplib and imapclient as one of these.
_BROKEN = (OSError, IMAPClientError, ValueError, LookupError, AttributeError)

# A "no" that passes by itself: response codes of RFC 5530 and of Gmail, and the words of servers that send no code.
_PASSING = re.compile(
    r"\[(?:UNAVAILABLE|LIMIT|INUSE|SERVERBUG|OVERQUOTA|THROTTLED)\b|too many|try again|temporar|throttl|bandwidth limit", re.I
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# How OpenSSL names a peer that speaks no TLS, or none that is still safe: waiting mends neither.
_NO_TLS = re.compile(r"WRONG_VERSION_NUMBER|UNSUPPORTED_PROTOCOL|PROTOCOL_VERSION|RECORD_LAYER_FAILURE|HANDSHAKE_FAILURE")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Folder:
    """What the server said when the folder was opened."""

    epoch: str
    next_uid: int
    mails: int


class ImapInbox:
    """One folder of one account. It connects when it is first needed, and again after an error, when it is next called.

    `security` is `tls` (from the first byte), `starttls` (insisted on) or `none` (to a loopback host only, else ConfigError).
    `password` is called at each login. Timeouts are in seconds. A mail above `max_bytes` is not taken over, only its headers.
    All methods raise TryLater when the server or the way to it fails, and NeedsHuman when it refuses the login, the folder or
    the encryption. Backing off is left to the caller. Not for use by two threads at once.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        user: str,
        password: Callable[[], str],
        folder: str = "INBOX",
        security: str = "tls",
        idle: bool = True,
        connect_timeout: float = 30.0,
        read_timeout: float = 60.0,
        ssl_context: ssl.SSLContext | None = None,
        max_bytes: int = 25 << 20,
        clock: Callable[[], float] = clocks.monotonic,
    ) -> None:
        if security not in ("tls", "starttls") and not is_loopback(host):
            raise ConfigError(
                f"{host}: mail is only read unencrypted from this machine itself: use imaps://, or imap+starttls://"
            )
        if _CONTROL.search(user + folder):
            raise ConfigError(f"{host}: the user and the folder must not hold control characters: {user!r}, {folder!r}")
        self._mailbox = "INBOX" if folder.upper() == "INBOX" else folder
        self.folder = f"imap://{user}@{host.lower()}:{port}/{self._mailbox}"
        # Where the folder is, for people; the name above is an identity, and the same however the connection is made.
        self._where = self.folder.replace("imap", _SCHEMES.get(security, "imap"), 1)
        self._host, self._port, self._user, self._password = host, port, user, password
        self._security, self._context = security, ssl_context or verifying()
        self._timeout = SocketTimeout(connect=connect_timeout, read=read_timeout)
        self._wants_idle, self._max_bytes, self._clock = idle, max_bytes, clock
        self._client: Any = None
        self._state = _Folder(epoch="", next_uid=0, mails=0)
        self._idle_since: float | None = None
        self._looked: tuple[str, int] | None = None  # the epoch, and the UID below which the caller was given everything

    def epoch(self) -> str:
        """The UIDVALIDITY of the folder, asked for afresh: UIDs of another epoch mean nothing in this one."""
        with self._talk("opening the folder") as client:
            self._examine(client)
            return self._state.epoch

    def begin(self, start: str | date, now: datetime) -> Beginning:
        """Where to start: `new` passes over all that is there, `all` over nothing, a date over what came before it (UTC).

        Mail that arrived before `now` will be old, wherever it is found.
        """
        with self._talk("looking for the first time") as client:
            self._examine(client)
            if start == "all":
                last = 0
            elif isinstance(start, date):
                last = self._last_before(client, start)
            else:
                last = self._state.next_uid - 1
        self._looked = (self._state.epoch, last + 1)
        return Beginning(cursor=Cursor(folder=self.folder, epoch=self._state.epoch, last=last, old_before=now))

    def _last_before(self, client: Any, day: date) -> int:
        since = datetime.combine(day, time.min, UTC)
        for span in self._spans(0):
            # SEARCH compares days in the time zone of each mail (RFC 3501 6.4.4): one day more holds all that may be meant.
            found = sorted(client.search(["UID", span, "SINCE", day - timedelta(days=1)]))
            for some in _parts(found):
                got = client.fetch(some, ["INTERNALDATE"])
                for uid in some:
                    if _arrived(got.get(uid, {})) >= since:
                        return int(uid) - 1
        return self._state.next_uid - 1

    def new(self, cursor: Cursor, known: Callable[[Sequence[str]], set[str]]) -> Iterator[Batch]:
        """The mails after the cursor in the order of their UIDs, in batches of at most 200 mails and 16 MB.

        A mail above `max_bytes` comes alone, as its headers. Mails that were expunged meanwhile are missing; when nothing else
        is left of a batch it is empty, and only moves the cursor. `known` is not asked: UIDs only grow. No flag is changed.
        """
        with self._at(cursor) as client:
            # Many servers notice a new mail only after a command has run: without NOOP it would be seen one poll late.
            client.noop()
            spans = list(self._spans(cursor.last))
            next_uid = self._state.next_uid
        self._looked = (cursor.epoch, cursor.last + 1)
        for span in spans:
            with self._at(cursor) as client:
                found = client.search(["UID", span])
            # `n:*` always holds the last mail, even if its UID is below n (RFC 3501 6.4.8).
            for some in _parts(sorted(uid for uid in found if uid > cursor.last)):
                for batch in self._batches(some, cursor):
                    self._looked = (cursor.epoch, batch.cursor.last + 1)
                    yield batch
        self._looked = (cursor.epoch, max(self._looked[1], next_uid))

    def _spans(self, last: int) -> Iterator[str]:
        """UID sets that cover everything after `last`, none so large that the answer outgrows what imaplib can read."""
        first = last + 1
        while first + SEARCH_SPAN < self._state.next_uid:
            yield f"{first}:{first + SEARCH_SPAN - 1}"
            first += SEARCH_SPAN
        yield f"{first}:*"

    def _batches(self, uids: list[int], cursor: Cursor) -> Iterator[Batch]:
        with self._at(cursor) as client:
            got = self._fetch(client, uids, ["RFC822.SIZE"], b"RFC822.SIZE")
        sizes: dict[int, int] = {uid: answer[b"RFC822.SIZE"] for uid, answer in got.items()}
        for group in _groups(uids, sizes, self._max_bytes):
            wanted = {uid: sizes[uid] for uid in group if uid in sizes}
            with self._at(cursor) as client:
                mails = self._mails(client, wanted, cursor)
            yield Batch(mails=tuple(mails), cursor=replace(cursor, last=group[-1]))

    def _mails(self, client: Any, sizes: Mapping[int, int], cursor: Cursor) -> list[Raw]:
        whole = all(size <= self._max_bytes for size in sizes.values())
        part = "" if whole else "HEADER"
        window = "" if whole else f"<0.{HEADER_BYTES}>"
        key = b"BODY[]" if whole else b"BODY[HEADER]<0>"
        items = ["INTERNALDATE", f"BODY.PEEK[{part}]{window}"]
        got = self._fetch(client, list(sizes), items, key)
        for uid, size in sizes.items():
            if whole and uid in got and len(got[uid][key]) != size:
                got[uid] = self._confirmed(client, uid, items, got[uid], size)
        return [self._raw(uid, got[uid], key, cursor, whole=whole) for uid in sizes if uid in got]

    def _confirmed(self, client: Any, uid: int, items: list[str], before: dict[bytes, Any], size: int) -> dict[bytes, Any]:
        """Fetch a mail again that is not as long as announced. Some servers only estimate: twice the same is the truth."""
        again = self._fetch(client, [uid], items, b"BODY[]").get(uid, before)
        first, second = len(before[b"BODY[]"]), len(again[b"BODY[]"])
        if second not in (first, size):
            raise TryLater(f"{self._where}: the mail with UID {uid} came with {first} bytes, then with {second}: it is cut off")
        return again

    def _raw(self, uid: int, answer: Mapping[bytes, Any], key: bytes, cursor: Cursor, *, whole: bool) -> Raw:
        place = Place(folder=self.folder, epoch=cursor.epoch, uid=str(uid))
        arrived = _arrived(answer)
        # INTERNALDATE has whole seconds: what came in the second of the first start is not old.
        old = arrived < cursor.old_before.replace(microsecond=0)
        return Raw(key=place.key, place=place, arrived=arrived, data=answer[key], old=old, whole=whole)

    def _fetch(self, client: Any, uids: list[int], items: list[str], key: bytes) -> dict[int, dict[bytes, Any]]:
        """What the server has of some mails, by UID. A mail that is missing is expunged: that was asked, not guessed."""
        try:
            got = dict(client.fetch(uids, items))
        except IMAPClientAbortError:
            raise
        except IMAPClientError:
            got = {}  # some servers refuse the whole command when one of the mails is gone (RFC 2180 4.1.2)
        lacking = [uid for uid in uids if not _has(got.get(uid, {}), key)]
        if lacking:
            client.noop()
            for uid in client.search(["UID", ",".join(map(str, lacking))]):
                got[uid] = client.fetch([uid], items).get(uid, {})
                if not _has(got[uid], key):
                    raise TryLater(f"{self._where}: the server lists the mail with UID {uid} but does not hand it out")
        return {uid: answer for uid, answer in got.items() if _has(answer, key)}

    def wait(self, seconds: float, wake: int | None = None) -> bool:
        """Wait until something happens in the folder (True), `seconds` are over (False) or `wake` can be read (False).

        `wake` is a file descriptor. Between two calls the connection stays in IDLE (RFC 2177) until another method needs it.
        Without IDLE the call only waits.
        """
        deadline = self._clock() + seconds
        if self._wants_idle:
            with self._talk("waiting for mail", idling=True) as client:
                if client.has_capability("IDLE"):
                    return self._idle(client, deadline, wake)
        _readable(deadline - self._clock(), wake)
        return False

    def _idle(self, client: Any, deadline: float, wake: int | None) -> bool:
        while True:
            if self._idle_since is None and self._start_idle(client):
                return True
            renew = (self._idle_since or 0.0) + RENEW_IDLE
            line = client.socket().fileno()
            ready = _readable(min(deadline, renew) - self._clock(), line, wake)
            if line in ready or self._clock() >= renew:
                # A server that only says that it is still there has been heard, and the wait goes on.
                if self._stop_idle(client):
                    return True
            elif wake in ready or self._clock() >= deadline:
                return False

    def _start_idle(self, client: Any) -> bool:
        """Enter IDLE, which tells of what happens from now on. True when something has happened that nobody looked at."""
        # What arrived since the last command, or was announced in the answer to it, IDLE would never mention.
        self._examine(client)
        self._looked = self._looked or (self._state.epoch, self._state.next_uid)
        if self._looked[0] != self._state.epoch or self._looked[1] < self._state.next_uid:
            return True
        client.idle()
        self._idle_since = self._clock()
        return self._came_along(client)

    def _came_along(self, client: Any) -> bool:
        """Whether news came in one packet with the answer to IDLE: it lies in imaplib's buffer, where poll() can't see it."""
        connection = client.socket()
        connection.setblocking(False)
        try:
            return bool(client._imap.readline())
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        finally:
            connection.settimeout(self._timeout.read)

    def _stop_idle(self, client: Any) -> bool:
        """Leave IDLE. True when the server told of anything but its own well-being."""
        self._idle_since = None
        _, said = client.idle_done()
        return any(each[0] not in (b"OK", b"NO") for each in said)

    def mark(self, uids: Sequence[str]) -> None:
        """Put the keyword `$Winback` on mails, where the folder allows it. Cosmetic: a refusal is only logged."""
        if not uids:
            return
        with self._talk("marking mails") as client:
            try:
                allowed = client.select_folder(self._mailbox).get(b"PERMANENTFLAGS", ())
                if b"\\*" in allowed or KEYWORD in allowed:
                    client.add_flags([int(uid) for uid in uids], [KEYWORD], silent=True)
            except IMAPClientError as error:
                if isinstance(error, IMAPClientAbortError) and not isinstance(error, IMAPClientReadOnlyError):
                    raise
                log.debug("%s: mails can't be marked: %s", self.folder, _words(error))
            self._examine(client)

    def find(self, header: str, value: str, *, sent: bool = False) -> str | None:
        """The Message-ID of a mail that has this header, in the folder or in the one where the account keeps sent mail.

        None when there is none, or no such folder; empty when it has no Message-ID. Both must be ids of our own making.
        """
        if not _SEARCHABLE.fullmatch(header + value):
            raise ValueError(f"nothing but an id of ours is searched for, not {header}: {value}")
        with self._talk("looking for a mail of ours") as client:
            folder = client.find_special_folder(_SENT) if sent else self._mailbox
            if folder is None:
                return None
            client.select_folder(folder, readonly=True)
            found = client.search(["HEADER", header, value])
            got = client.fetch(found[-1:], [_ID]) if found else {}
            self._examine(client)
        if not got:
            return None
        answer = next(iter(got.values()))
        text = next((part for key, part in answer.items() if key.startswith(b"BODY[HEADER.FIELDS")), b"")
        return bytes(text).partition(b":")[2].strip().decode("ascii", "replace")

    def check(self) -> str:
        """Log in, open the folder and count: one sentence that says that all is well."""
        with self._talk("checking the mailbox") as client:
            self._examine(client)
            announces = self._wants_idle and client.has_capability("IDLE")
            news = "the server announces new ones at once" if announces else "new ones are seen at the next poll"
            return f"{self._where}: logged in, mails in the folder: {self._state.mails}, {news}"

    def close(self) -> None:
        """Log out, as far as the server still listens. The next call connects again."""
        client = self._client
        if client is not None and self._idle_since is None:
            with suppress(*_BROKEN):
                client.socket().settimeout(GOODBYE)
                client.logout()
        self._drop()

    @contextmanager
    def _at(self, cursor: Cursor) -> Iterator[Any]:
        """The client, as long as the folder is still the one that the cursor speaks of."""
        with self._talk("fetching mail") as client:
            if self._state.epoch != cursor.epoch:
                raise TryLater(
                    f"{self._where}: the folder has the UIDVALIDITY {self._state.epoch} now, not {cursor.epoch}: begin again"
                )
            yield client

    @contextmanager
    def _talk(self, doing: str, *, idling: bool = False) -> Iterator[Any]:
        """The client with the folder open and, unless `idling`, out of IDLE. After any error there is no client any more."""
        try:
            if self._client is None:
                self._connect()
                self._examine(self._client)
            if self._idle_since is not None and not idling:
                self._stop_idle(self._client)
            yield self._client
        except _BROKEN as error:
            said = f"{self._where}: {doing} failed: {_words(error)}"
            if self._client is None and isinstance(error, OSError):
                raise Unreachable(f"{said}: look at host and port in inbox.url, and at the network") from error
            self._drop()
            raise TryLater(said) from error
        except BaseException:
            self._drop()
            raise

    def _connect(self) -> None:
        try:
            client = self._client = IMAPClient(
                self._host, self._port, ssl=self._security == "tls", ssl_context=self._context, timeout=self._timeout
            )
            # imapclient sets 5, with which imaplib formats every mail twice for a log that nobody reads: ten times the CPU.
            client._imap.debug = 0
            client.normalise_times = False
            # imapclient sends a search in two pieces: the second would wait until the first is acknowledged, often 40 ms.
            client.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._security == "starttls":
                client.starttls(self._context)
        except ssl.SSLCertVerificationError as error:
            raise NeedsHuman(
                f"{self._where}: the certificate of {self._host}:{self._port} is refused ({error.verify_message}):"
                " correct the host in inbox.url, or have the provider renew it"
            ) from error
        except ssl.SSLError as error:
            if not _NO_TLS.search(str(error.reason)):
                raise
            raise NeedsHuman(
                f"{self._where}: {self._host}:{self._port} speaks no TLS that is safe ({error.reason}): correct inbox.url"
            ) from error
        except CapabilityError as error:
            raise NeedsHuman(
                f"{self._where}: {self._host}:{self._port} offers no STARTTLS, and no password goes out unencrypted:"
                " use imaps://, or ask the provider"
            ) from error
        self._login(client)

    def _login(self, client: Any) -> None:
        password = self._password()
        # LOGIN can carry ASCII alone, AUTHENTICATE PLAIN any text (RFC 4616).
        plain = client.has_capability("AUTH=PLAIN")
        if _CONTROL.search(password) or not (plain or (self._user + password).isascii()):
            raise NeedsHuman(
                f"{self._where}: the password of {self._user} holds a character that can't be sent to {self._host}"
                " (a line break, perhaps): correct inbox.password"
            )
        try:
            (client.plain_login if plain else client.login)(self._user, password)
        except LoginError as error:
            # imapclient turns a connection that dies meanwhile into a LoginError too.
            if isinstance(error.__context__, IMAPClientAbortError) or _PASSING.search(str(error)):
                raise
            raise NeedsHuman(
                f"{self._where}: the login of {self._user} at {self._host}:{self._port} is refused ({_words(error)}):"
                " correct the user in inbox.url or inbox.password; many providers want a password made for this program"
            ) from error

    def _examine(self, client: Any) -> None:
        """Open the folder, read only, and keep what the server says of it."""
        try:
            said = client.select_folder(self._mailbox, readonly=True)
        except IMAPClientAbortError:
            raise
        except IMAPClientError as error:
            if _PASSING.search(str(error)):
                raise
            raise NeedsHuman(
                f"{self._where}: {self._user} can't open the folder {self._mailbox!r} at {self._host} ({_words(error)}):"
                " create it there, or correct it in inbox.url"
            ) from error
        next_uid = said.get(b"UIDNEXT") or max(client.search(["UID", "*"]), default=0) + 1
        self._state = _Folder(epoch=str(said[b"UIDVALIDITY"]), next_uid=next_uid, mails=said[b"EXISTS"])

    def _drop(self) -> None:
        client, self._client, self._idle_since = self._client, None, None
        if client is not None:
            with suppress(OSError):
                client.shutdown()


def _parts(uids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(uids), BATCH_MAILS):
        yield uids[start : start + BATCH_MAILS]


def _groups(uids: list[int], sizes: Mapping[int, int], max_bytes: int) -> Iterator[list[int]]:
    """Cut UIDs into runs of at most 16 MB; a mail above `max_bytes` counts as a full batch, and so comes alone."""
    group: list[int] = []
    weight = 0
    for uid in uids:
        size = sizes.get(uid, 0)
        size = BATCH_BYTES if size > max_bytes else size
        if weight and weight + size > BATCH_BYTES:
            yield group
            group, weight = [], 0
        group.append(uid)
        weight += size
    if group:
        yield group


def _has(answer: Mapping[bytes, Any], key: bytes) -> bool:
    return isinstance(answer.get(key), int if key == b"RFC822.SIZE" else bytes)


def _arrived(answer: Mapping[bytes, Any]) -> datetime:
    """INTERNALDATE as aware UTC. An unreadable one is long ago, so that the mail counts as old and waits for a person."""
    stamp = answer.get(b"INTERNALDATE")
    if not isinstance(stamp, datetime):
        return LONG_AGO
    try:
        return (stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        return LONG_AGO


def _readable(seconds: float, *descriptors: int | None) -> set[int]:
    """Wait until one of the descriptors can be read or is dead, and say which. select() would end at 1024 open files."""
    poller = select.poll()
    for descriptor in descriptors:
        if descriptor is not None:
            poller.register(descriptor, select.POLLIN)
    return {descriptor for descriptor, _ in poller.poll(max(0.0, seconds) * 1000)}


def _words(error: BaseException) -> str:
    """What a server or a library said, in one line. imaplib hides bytes in its errors."""
    text = " ".join(str(error).split()) or type(error).__name__
    return re.sub(r"^b'(.*)'$", r"\1", text)[:300]
