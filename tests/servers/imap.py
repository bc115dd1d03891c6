"""An IMAP server that says what a test wants it to say; whatever the test does not twist, it answers as it should."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Mapping
from functools import partial

from servers import Line, RawServer

Answer = bytes | Callable[[Line], None]


class ScriptedImap(RawServer):
    """Holds `mails` by UID in one folder. `answers` maps a command, `UID FETCH` or `GREETING` to what comes instead.

    An answer is bytes, in which `%t` stands for the tag, or a function that does something to the connection. A list of
    answers is used up one by one; after that, and where it holds None, the usual answer comes. `commands` is what clients said.
    """

    def __init__(
        self,
        mails: Mapping[int, bytes] | None = None,
        answers: Mapping[str, Answer | list[Answer | None]] | None = None,
        *,
        capabilities: str = "IMAP4rev1 IDLE AUTH=PLAIN",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__()
        self.mails = dict(mails or {})
        self.answers = dict(answers or {})
        self.capabilities = capabilities
        self.commands: list[str] = []
        self.tag = b""  # of the last command
        self.validity, self.uidnext = 7, max(self.mails, default=0) + 1
        self._tls = tls

    def said(self, command: str) -> int:
        """How often clients gave a command."""
        return sum(each.startswith(command) for each in self.commands)

    def talk(self, line: Line) -> None:
        self._answer(line, "GREETING", lambda: line.write(b"* OK ready\r\n"))
        while True:
            tag, _, command = line.read().decode(errors="replace").rstrip("\r\n").partition(" ")
            self.commands.append(command)
            self.tag = tag.encode()
            verb = " ".join(command.split()[: 2 if command.upper().startswith("UID ") else 1]).upper()
            usual = getattr(self, f"_{verb.lower().replace(' ', '_')}", self._bad)
            self._answer(line, verb, partial(usual, line, self.tag, command))
            if verb == "LOGOUT":
                return

    def _answer(self, line: Line, name: str, usual: Callable[[], None]) -> None:
        answer = self.answers.get(name)
        if isinstance(answer, list):
            answer = answer.pop(0) if answer else None
        if answer is None:
            usual()
        elif isinstance(answer, bytes):
            line.write(answer.replace(b"%t", self.tag))
        else:
            answer(line)

    def _capability(self, line: Line, tag: bytes, command: str) -> None:
        line.write(b"* CAPABILITY %s\r\n%s OK done\r\n" % (self.capabilities.encode(), tag))

    def _starttls(self, line: Line, tag: bytes, command: str) -> None:
        assert self._tls is not None
        line.write(b"%s OK go on\r\n" % tag)
        line.start_tls(self._tls)

    def _authenticate(self, line: Line, tag: bytes, command: str) -> None:
        line.write(b"+ \r\n")
        line.read()
        self._ok(line, tag, command)

    def _ok(self, line: Line, tag: bytes, command: str) -> None:
        line.write(b"%s OK done\r\n" % tag)

    def _bad(self, line: Line, tag: bytes, command: str) -> None:
        line.write(b"%s BAD what?\r\n" % tag)

    _login = _noop = _uid_store = _ok

    def _examine(self, line: Line, tag: bytes, command: str) -> None:
        line.write(
            b"* %d EXISTS\r\n* 0 RECENT\r\n* FLAGS (\\Seen)\r\n* OK [PERMANENTFLAGS (\\*)] ok\r\n"
            b"* OK [UIDVALIDITY %d] ok\r\n* OK [UIDNEXT %d] ok\r\n%s OK [READ-%s] done\r\n"
            % (len(self.mails), self.validity, self.uidnext, tag, b"ONLY" if command.startswith("EXAMINE") else b"WRITE")
        )

    _select = _examine

    def _uid_search(self, line: Line, tag: bytes, command: str) -> None:
        uids = " ".join(str(uid) for uid in sorted(self._meant(command.split()[-1])))
        line.write(b"* SEARCH %s\r\n%s OK done\r\n" % (uids.encode(), tag))

    def _meant(self, numbers: str) -> list[int]:
        last = max(self.mails, default=0)
        meant: list[int] = []
        for part in numbers.replace("*", str(last)).split(","):
            ends = [int(end) for end in part.split(":")]
            meant += [uid for uid in self.mails if min(ends) <= uid <= max(ends)]
        return meant

    def _uid_fetch(self, line: Line, tag: bytes, command: str) -> None:
        _, _, numbers, items = command.split(" ", 3)
        for seq, uid in enumerate(self._meant(numbers), 1):
            line.write(b"* %d FETCH (UID %d %s)\r\n" % (seq, uid, self._items(uid, items)))
        line.write(b"%s OK done\r\n" % tag)

    def _items(self, uid: int, items: str) -> bytes:
        data = self.mails[uid]
        found = []
        if "RFC822.SIZE" in items:
            found.append(b"RFC822.SIZE %d" % len(data))
        if "INTERNALDATE" in items:
            found.append(b'INTERNALDATE "22-Nov-2026 10:00:00 +0100"')
        if "BODY.PEEK[]" in items:
            found.append(b"BODY[] {%d}\r\n%s" % (len(data), data))
        elif part := re.search(r"BODY\.PEEK\[HEADER\]<0\.(\d+)>", items):
            head = (data.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")[: int(part[1])]
            found.append(b"BODY[HEADER]<0> {%d}\r\n%s" % (len(head), head))
        return b" ".join(found)

    def _idle(self, line: Line, tag: bytes, command: str) -> None:
        line.write(b"+ idling\r\n")
        self.commands.append(line.read().decode().strip())
        line.write(b"%s OK done\r\n" % tag)

    def _logout(self, line: Line, tag: bytes, command: str) -> None:
        line.write(b"* BYE\r\n%s OK done\r\n" % tag)
