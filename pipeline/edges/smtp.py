"""Mails to an SMTP server, phase by phase, so that it is always known on which side of the final dot a failure fell."""

from __future__ import annotations

import re
import select
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from pipeline.core.records import Receipt, Send
from pipeline.edges.tls import is_loopback, verifying
from pipeline.errors import ConfigError, NeedsHuman, Refused, TryLater, Uncertain, Unreachable, WinbackError

CHUNK = 64 << 10
_SCHEMES = {"tls": "smtps", "starttls": "smtp+starttls"}  # as delivery.url names them
GOODBYE = 5.0

# RFC 5321 4.1.2 allows more inside quotes; whoever needs a space or a bracket in an address can be written to by hand.
_PATH = re.compile(r"[^\x00-\x20\x7f-\x9f<>@\s]+@[^\x00-\x20\x7f-\x9f<>@\s]+")
# "Authentication required", "too weak", "failed", "encryption needed" (RFC 4954 6): of the account, not of one mail.
_LOGIN_CODES = frozenset({530, 534, 535, 538})
# How OpenSSL names a peer that speaks no TLS, or none that is still safe: waiting mends neither.
_NO_TLS = re.compile(r"WRONG_VERSION_NUMBER|UNSUPPORTED_PROTOCOL|PROTOCOL_VERSION|RECORD_LAYER_FAILURE|HANDSHAKE_FAILURE")


class SmtpDelivery:
    """The SMTP server of the business, not yet connected.

    `security` is `tls` (from the first byte), `starttls` (insisted on) or `none` (to a loopback host only, else ConfigError).
    `user` None means no login; `password` is called at each login. `hello` is the name that EHLO gives. Timeouts are in
    seconds: to connect and be greeted, for each answer, and for the answer to the final dot (RFC 5321 4.5.3.2.6: 10 minutes).
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        security: str = "tls",
        user: str | None = None,
        password: Callable[[], str] | None = None,
        hello: str,
        ssl_context: ssl.SSLContext | None = None,
        connect_timeout: float = 30.0,
        timeout: float = 60.0,
        final_timeout: float = 600.0,
    ) -> None:
        if security not in ("tls", "starttls") and not is_loopback(host):
            raise ConfigError(
                f"{host}: mail only goes out unencrypted to this machine itself: use smtps://, or smtp+starttls://"
            )
        self._host, self._port, self._security, self._hello = host, port, security, _ascii(hello)
        self._user, self._password, self._context = user, password, ssl_context or verifying()
        self._connect_timeout, self._timeout, self._final_timeout = connect_timeout, timeout, final_timeout
        self._where = f"{_SCHEMES.get(security, 'smtp')}://{host}:{port}"

    @contextmanager
    def session(self) -> Iterator[SmtpSession]:
        """Yield a session: it connects with its first mail, uses the connection for all, and says goodbye at the end."""
        session = SmtpSession(self._where, self._connect, self._final_timeout)
        try:
            yield session
        finally:
            session.close()

    def delivered(self, send: Send) -> bool | None:
        """Always None: a server does not tell what it took earlier."""
        return None

    def check(self) -> str:
        """Connect and log in, and send nothing: one sentence that says that all is well. Raises TryLater or NeedsHuman."""
        client = self._connect()
        login = f"logged in as {self._user}" if self._user else "no login"
        limit = client.esmtp_features.get("size", "")
        largest = f", takes mails of up to {int(limit) >> 20} MB" if limit.isdigit() and int(limit) else ""
        _leave(client)
        encrypted = "unencrypted on this machine" if self._security == "none" else "encrypted"
        return f"{self._where}: {encrypted}, {login}{largest}"

    def _connect(self) -> smtplib.SMTP:
        """A connection that mails can go out by. Raises TryLater or NeedsHuman."""
        with self._refusals("the greeting", "ask the provider whether this machine may connect"):
            client = self._greeted()
        try:
            with self._refusals("EHLO", "ask the provider whether this machine may send"):
                client.ehlo_or_helo_if_needed()
            if self._security == "starttls":
                with self._refusals("STARTTLS", "nothing is sent unencrypted: use smtps://, or ask the provider"):
                    client.starttls(context=self._context)
                    client.ehlo_or_helo_if_needed()
            if self._user and self._password:
                with self._refusals("the login", "correct the user in delivery.url or delivery.password"):
                    _login(client, self._user, self._password())
        except BaseException:
            client.close()
            raise
        return client

    def _greeted(self) -> smtplib.SMTP:
        if self._security == "tls":
            client: smtplib.SMTP = smtplib.SMTP_SSL(
                self._host, self._port, self._hello, timeout=self._connect_timeout, context=self._context
            )
        else:
            client = smtplib.SMTP(self._host, self._port, self._hello, timeout=self._connect_timeout)
        connection = _socket(client)
        connection.settimeout(self._timeout)
        # The dot is a small packet behind another one: held back until that is acknowledged, it costs 40 ms a mail.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client

    @contextmanager
    def _refusals(self, phase: str, remedy: str) -> Iterator[None]:
        """Before a mail is spoken of: a lasting no is about the account or this machine, so only a person can mend it."""
        try:
            yield
        except ssl.SSLCertVerificationError as error:
            raise NeedsHuman(
                f"{self._where}: the certificate is refused ({error.verify_message}):"
                " correct the host in delivery.url, or have the provider renew it"
            ) from error
        except ssl.SSLError as error:
            if not _NO_TLS.search(str(error.reason)):
                raise TryLater(f"{self._where}: {phase}: {error}") from error
            raise NeedsHuman(f"{self._where}: speaks no TLS that is safe ({error.reason}): correct delivery.url") from error
        except smtplib.SMTPResponseException as error:
            said = f"{self._where}: {phase} was answered {_answer(error.smtp_code, error.smtp_error)}"
            if 500 <= error.smtp_code < 600:
                raise NeedsHuman(f"{said}: {remedy}") from error
            raise TryLater(said) from error
        except smtplib.SMTPNotSupportedError as error:
            raise NeedsHuman(f"{self._where}: {phase}: {error}: {remedy}") from error
        except OSError as error:
            remedy = "look at host and port in delivery.url, and at the network"
            raise Unreachable(f"{self._where}: {phase}: {_cause(error)}: {remedy}") from error


class SmtpSession:
    """Hands mails over one by one. After any failure the next mail gets a connection of its own."""

    def __init__(self, where: str, connect: Callable[[], smtplib.SMTP], final_timeout: float) -> None:
        self._where, self._connect, self._final_timeout = where, connect, final_timeout
        self._client: smtplib.SMTP | None = None

    def deliver(self, send: Send, sender: str, may_finish: Callable[[], bool]) -> Receipt | None:
        """Hand over one mail; `sender` may be empty (the null path of RFC 5321 4.5.5).

        Everything but the final dot is said first; then `may_finish` decides. When it says no, the connection is broken off,
        which leaves nothing behind, and None comes back. Before the dot: Unreachable (no connection), TryLater (4xx, network),
        Refused (5xx, or an address or text that can't be sent), NeedsHuman (login, encryption). After it: TryLater (4xx),
        Refused (5xx), or Uncertain when no answer came that says what became of the mail.
        """
        self._check_path("recipient", send.recipient)
        if sender:
            self._check_path("sender", sender)
        payload = wire(send.data)
        try:
            client = self._announce(sender, send.recipient, payload)
            self._ask(client, "RCPT TO", f"RCPT TO:<{send.recipient}>")
            self._ask(client, "DATA", "DATA", 354)
            self._pour(client, payload)
            if may_finish():
                return self._finish(client)
            self._drop()
            return None
        except BaseException:
            self._drop()
            raise

    def close(self) -> None:
        """Say goodbye. What was accepted stays accepted, whatever comes of that."""
        client, self._client = self._client, None
        if client is not None:
            _leave(client)

    def _check_path(self, what: str, address: str) -> None:
        try:
            address.encode()
        except UnicodeEncodeError as error:
            raise Refused(f"the {what} {address!r} is no text: nothing was sent") from error
        if not _PATH.fullmatch(address):
            raise Refused(f"the {what} {address!r} is no mail address that can be sent to: nothing was sent")

    def _announce(self, sender: str, recipient: str, payload: bytes) -> smtplib.SMTP:
        """MAIL FROM, on the connection of the mail before; when that has gone stale meanwhile, once more on a new one."""
        if self._client is not None:
            with suppress(TryLater):
                return self._mail_from(self._client, sender, recipient, payload)
            self._drop()
        self._client = self._connect()
        return self._mail_from(self._client, sender, recipient, payload)

    def _mail_from(self, client: smtplib.SMTP, sender: str, recipient: str, payload: bytes) -> smtplib.SMTP:
        options = self._options(client, sender, recipient, payload)
        client.command_encoding = "utf-8" if "SMTPUTF8" in options else "ascii"
        self._ask(client, "MAIL FROM", " ".join([f"MAIL FROM:<{sender}>", *options]))
        return client

    def _options(self, client: smtplib.SMTP, sender: str, recipient: str, payload: bytes) -> list[str]:
        """What RFC 1870, 6152 and 6531 ask to be announced. Raises Refused when the server can't take what the mail needs."""
        head = payload.partition(b"\r\n\r\n")[0]
        wants_utf8 = not ((sender + recipient).isascii() and head.isascii())
        if wants_utf8 and not client.has_extn("smtputf8"):
            raise Refused(f"{self._where}: takes no addresses or headers outside ASCII (SMTPUTF8), and this mail has some")
        if not payload.isascii() and not client.has_extn("8bitmime"):
            raise Refused(f"{self._where}: takes no 8-bit text (8BITMIME), and this mail is not encoded")
        options = [f"SIZE={len(payload)}"] if client.has_extn("size") else []
        if not payload.isascii():
            options.append("BODY=8BITMIME")
        return [*options, "SMTPUTF8"] if wants_utf8 else options

    def _ask(self, client: smtplib.SMTP, phase: str, command: str, wanted: int | None = None) -> None:
        with self._network(phase):
            code, text = client.docmd(command)
        if code != wanted and not (wanted is None and 200 <= code < 300):
            raise self._refusal(phase, code, text)

    def _pour(self, client: smtplib.SMTP, payload: bytes) -> None:
        """Send the mail up to the final dot. A server that speaks meanwhile says no: then there will be no dot."""
        phase = "the text of the mail"
        for start in range(0, len(payload), CHUNK):
            with self._network(phase):
                # Each piece has the whole timeout: a slow line is no broken one.
                client.send(payload[start : start + CHUNK])
                answer = client.getreply() if _speaks(client) else None
            if answer:
                raise self._refusal(phase, *answer)

    def _finish(self, client: smtplib.SMTP) -> Receipt:
        handed_over = f"{self._where}: the mail was handed over and may have gone out"
        try:
            connection = _socket(client)
            timeout = connection.gettimeout()
            connection.settimeout(self._final_timeout)
            client.send(b".\r\n")
            code, text = client.getreply()
        except OSError as error:
            raise Uncertain(f"{handed_over}: there was no answer ({_cause(error)})") from error
        said = _answer(code, text)
        if 400 <= code < 600:
            raise (Refused if code >= 500 else TryLater)(f"{self._where}: the end of the mail was answered {said}")
        if not 200 <= code < 300:
            raise Uncertain(f"{handed_over}: the answer {said!r} says nothing")
        connection.settimeout(timeout)
        return Receipt(code=code, reply=said.removeprefix(str(code)).strip())

    def _refusal(self, phase: str, code: int, text: bytes) -> WinbackError:
        said = f"{self._where}: {phase} was answered {_answer(code, text)}"
        if code in _LOGIN_CODES:
            return NeedsHuman(f"{said}: correct the user in delivery.url or delivery.password")
        return Refused(said) if 500 <= code < 600 else TryLater(said)

    @contextmanager
    def _network(self, phase: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:  # all of smtplib's errors are
            raise TryLater(f"{self._where}: {phase}: {_cause(error)}") from error

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()


def wire(data: bytes) -> bytes:
    """A mail as it travels: CRLF line ends, leading dots doubled, the last line ended (RFC 5321 2.3.8 and 4.5.2)."""
    lines = re.sub(rb"\r\n|\r|\n", b"\r\n", data)
    dotted = re.sub(rb"(?m)^\.", b"..", lines)
    return dotted if dotted.endswith(b"\r\n") else dotted + b"\r\n"


def _login(client: smtplib.SMTP, user: str, password: str) -> None:
    """Log in by one method, once: each failure counts towards being locked out, and smtplib would try all methods."""
    if not (user + password).isascii():
        raise NeedsHuman(
            "the user or the password for sending holds letters outside ASCII, which SMTP can't carry: choose others"
        )
    offered = client.esmtp_features.get("auth", "").upper().split()
    client.user, client.password = user, password
    if "PLAIN" in offered:
        client.auth("PLAIN", client.auth_plain)
    elif "LOGIN" in offered:
        client.auth("LOGIN", client.auth_login)
    else:
        raise smtplib.SMTPNotSupportedError(f"the server offers no login by password (only: {' '.join(offered) or 'none'})")


def _leave(client: smtplib.SMTP) -> None:
    with suppress(OSError):
        _socket(client).settimeout(GOODBYE)
        client.quit()
    client.close()


def _socket(client: smtplib.SMTP) -> socket.socket:
    if client.sock is None:
        raise smtplib.SMTPServerDisconnected("the connection is closed")
    return client.sock


def _speaks(client: smtplib.SMTP) -> bool:
    """Whether bytes, or the end of the connection, have come in."""
    poller = select.poll()
    poller.register(_socket(client), select.POLLIN)
    return bool(poller.poll(0))


def _answer(code: int, text: bytes | str) -> str:
    """An SMTP reply in one line."""
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return f"{code} {' '.join(words.split())}"[:500].rstrip()


def _cause(error: OSError) -> OSError:
    """The error of the network, where smtplib only says that it is not connected."""
    return error.__context__ if isinstance(error.__context__, OSError) else error


def _ascii(name: str) -> str:
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise ConfigError(f"{name!r} is no host name that can be given to a mail server") from error
