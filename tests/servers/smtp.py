"""SMTP servers: one that takes mail as it should, one that follows a script, and Postfix's smtp-sink."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from servers import LOOPBACK, Line, RawServer, binary, free_port, until


@dataclass(frozen=True)
class Taken:
    """A mail that a server answered for."""

    sender: str
    recipients: tuple[str, ...]
    data: bytes
    options: tuple[str, ...] = ()
    user: str | None = None


class SmtpServer:
    """A real SMTP server in a thread. `tls` encrypts from the first byte, `starttls` on demand; `mails` is what it took.

    `replies` maps MAIL, RCPT or DATA to a reply that is given instead of acceptance.
    """

    host = LOOPBACK
    user, password = "dana", "correct horse"

    def __init__(
        self, *, tls: ssl.SSLContext | None = None, starttls: ssl.SSLContext | None = None, login: bool = False
    ) -> None:
        self.port = free_port()
        self.mails: list[Taken] = []
        self.replies: dict[str, str] = {}
        options: dict[str, object] = {}
        if login:
            options |= {"authenticator": self._authenticate, "auth_require_tls": starttls is not None}
        self._controller = Controller(
            self,
            hostname=LOOPBACK,
            port=self.port,
            ssl_context=tls,
            tls_context=starttls,
            server_hostname="sink.example",
            **options,
        )

    def __enter__(self) -> SmtpServer:
        self._controller.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._controller.stop()

    def _authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
        right = LoginPassword(self.user.encode(), self.password.encode())
        return AuthResult(success=data == right, handled=False, auth_data=self.user)

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self.replies.get("MAIL", "250 2.1.0 ok")

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802
        envelope.rcpt_tos.append(address)
        return self.replies.get("RCPT", "250 2.1.5 ok")

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if "DATA" in self.replies:
            return self.replies["DATA"]
        self.mails.append(
            Taken(
                sender=(envelope.mail_from or "").removeprefix("<>"),
                recipients=tuple(envelope.rcpt_tos),
                data=bytes(envelope.original_content or b""),
                options=tuple(envelope.mail_options),
                user=session.auth_data if session.authenticated else None,
            )
        )
        return f"250 2.0.0 queued as {len(self.mails)}"


Action = str | Callable[[Line], None]

# What a server says when all is well. `body` stands for the time in which the mail's lines come in.
USUAL = {
    "connect": "220 sink.example",
    "ehlo": "250-sink.example\r\n250-SIZE 1000000\r\n250 8BITMIME",
    "helo": "250 sink.example",
    "starttls": "220 go on",
    "auth": "235 2.7.0 welcome",
    "mail": "250 2.1.0 ok",
    "rcpt": "250 2.1.5 ok",
    "data": "354 go on",
    "dot": "250 2.0.0 queued",
    "rset": "250 2.0.0 ok",
    "quit": "221 2.0.0 bye",
}


class ScriptedSmtp(RawServer):
    """An SMTP server that does what `script` says at a phase: answers something else, cuts, resets or hangs.

    A phase is a key of USUAL, or `body`. A list of actions is used up one by one, then all is as usual. `dotted` holds every
    mail whose final dot arrived, whatever was answered to it; `commands` is what clients said.
    """

    def __init__(self, script: Mapping[str, Action | list[Action]] | None = None, *, tls: ssl.SSLContext | None = None) -> None:
        super().__init__()
        self.script = dict(script or {})
        self.dotted: list[Taken] = []
        self.commands: list[str] = []
        self._tls = tls

    def talk(self, line: Line) -> None:
        sender, recipients = "", [""]
        self._act(line, "connect")
        while True:
            command = line.read().decode().rstrip("\r\n")
            self.commands.append(command)
            phase = command.split(" ")[0].lower()
            if phase == "mail":
                sender, recipients = command, []
            elif phase == "rcpt":
                recipients.append(command)
            if not self._act(line, phase).startswith(("2", "3")):
                continue
            if phase == "data":
                self._take(line, sender, recipients)
            elif phase == "starttls":
                assert self._tls is not None
                line.start_tls(self._tls)
            elif phase == "quit":
                return

    def _take(self, line: Line, sender: str, recipients: list[str]) -> None:
        lines: list[bytes] = []
        while (data := line.read()) != b".\r\n":
            lines.append(data)
            if len(lines) == 1 and "body" in self.script:
                self._act(line, "body")
        self.dotted.append(Taken(sender=sender, recipients=tuple(recipients), data=b"".join(lines)))
        self._act(line, "dot")

    def _act(self, line: Line, phase: str) -> str:
        action = self.script.get(phase)
        if isinstance(action, list):
            action = action.pop(0) if action else None
        action = action or USUAL.get(phase, "500 5.5.1 what?")
        if not isinstance(action, str):
            action(line)
            return ""
        line.write(action.encode() + b"\r\n")
        return action


class SmtpSink:
    """Postfix's smtp-sink: fast, and a stranger to our code. `flags` are its own (`-r DATA` refuses with 450 ...)."""

    host = LOOPBACK

    def __init__(self, *flags: str) -> None:
        self._program = binary("smtp-sink", "postfix")
        self._flags = flags
        self._folder = Path(tempfile.mkdtemp(prefix="wb-"))
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    def __enter__(self) -> SmtpSink:
        user: tuple[str, ...] = ()
        if os.getuid() == 0:
            user = ("-u", "nobody")
            os.chown(self._folder, pwd.getpwnam("nobody").pw_uid, -1)
        command = [self._program, *user, *self._flags, "-d", f"{self._folder}/%M.", f"{LOOPBACK}:{self.port}", "64"]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        until(self._listens, what="smtp-sink")
        return self

    def __exit__(self, *error: object) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(10)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _listens(self) -> bool:
        try:
            socket.create_connection((LOOPBACK, self.port), 1).close()
        except OSError:
            return False
        return True

    def mails(self) -> list[bytes]:
        """The mails it took, each behind the lines in which smtp-sink notes the envelope."""
        return [path.read_bytes() for path in sorted(self._folder.iterdir())]
