"""Real servers on loopback for tests: each is started by the test that needs it, out of a folder of its own."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Self

import pytest

LOOPBACK = "127.0.0.1"

CA_EXTENSIONS = """\
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
"""
SERVER_EXTENSIONS = """\
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = {names}
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


def binary(name: str, package: str) -> str:
    """The path of a program. Without it the test is skipped; where CI is true it fails, for there nothing may be missing."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        missing = f"{name} is not installed (apt-get install --no-install-recommends {package})"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return found


def free_port() -> int:
    """A TCP port of the loopback address that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def until(true: Callable[[], object], *, within: float = 10.0, what: str = "it") -> None:
    """Return as soon as a condition holds; fail when it doesn't in time."""
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, f"{what} did not happen within {within} s"
        time.sleep(0.02)


@dataclass(frozen=True)
class Authority:
    """A certificate authority of our own, and a certificate that it issued to a server."""

    ca: Path
    certificate: Path
    key: Path

    def client(self) -> ssl.SSLContext:
        """What a client needs to trust the servers of this authority, and only them."""
        return ssl.create_default_context(cafile=self.ca)

    def server(self) -> ssl.SSLContext:
        """What a server needs to be trusted."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


def make_authority(folder: Path, names: str = "DNS:localhost, IP:127.0.0.1") -> Authority:
    """Make an authority and a server certificate for these names in a folder; both end in two days."""
    openssl = binary("openssl", "openssl")
    (folder / "ca.ext").write_text(CA_EXTENSIONS)
    (folder / "server.ext").write_text(SERVER_EXTENSIONS.format(names=names))

    def run(command: str) -> None:
        subprocess.run([openssl, *command.split()], cwd=folder, check=True, capture_output=True)

    for who in ("ca", "server"):
        run(f"ecparam -name prime256v1 -genkey -noout -out {who}.key")
        run(f"req -new -key {who}.key -subj /CN={who}.winback.test -out {who}.csr")
    run("x509 -req -in ca.csr -signkey ca.key -days 2 -extfile ca.ext -out ca.pem")
    run("x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile server.ext -out server.pem")
    return Authority(ca=folder / "ca.pem", certificate=folder / "server.pem", key=folder / "server.key")


class Gone(Exception):
    """The peer ended the connection, or the script says that we do."""


class Line:
    """One connection of a raw server: lines in, bytes out, and the ways in which connections die."""

    def __init__(self, connection: socket.socket, over: threading.Event) -> None:
        self._socket = connection
        self._over = over
        # Small packets at once: otherwise each pair of writes waits 40 ms for the client's delayed acknowledgment.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = connection.makefile("rb")

    def read(self) -> bytes:
        """The next line, with its end."""
        line = self._file.readline()
        if not line:
            raise Gone
        return line

    def write(self, data: bytes) -> None:
        """Send bytes as they are, in one packet if they fit."""
        self._socket.sendall(data)

    def cut(self) -> NoReturn:
        """End the connection in good order, without a word."""
        raise Gone

    def reset(self) -> NoReturn:
        """End the connection with a TCP reset."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Gone

    def hang(self) -> NoReturn:
        """Neither read nor answer any more, until the server is stopped."""
        self._over.wait()
        raise Gone

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Go on encrypted."""
        self._file.close()
        self._socket = context.wrap_socket(self._socket, server_side=True)
        self._file = self._socket.makefile("rb")

    def close(self) -> None:
        """Let go of the connection."""
        with suppress(OSError, ValueError):
            self._file.close()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
        self._socket.close()


class RawServer(ABC):
    """A server that follows a script, a thread for each connection. `port` listens as long as the context is open."""

    host = LOOPBACK

    def __init__(self) -> None:
        self.connections = 0
        self._over = threading.Event()
        self._lines: set[Line] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port = int(self._listener.getsockname()[1])

    @abstractmethod
    def talk(self, line: Line) -> None:
        """Hold one conversation."""

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.drop()
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive()

    def drop(self) -> None:
        """End all connections."""
        for line in tuple(self._lines):
            with suppress(OSError):
                line._socket.shutdown(socket.SHUT_RDWR)

    def push(self, data: bytes) -> None:
        """Say something that nobody asked for, on all connections."""
        for line in tuple(self._lines):
            line.write(data)

    def _start(self, work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._start(self._serve, Line(connection, self._over))

    def _serve(self, line: Line) -> None:
        self._lines.add(line)
        try:
            self.talk(line)
        except (Gone, OSError):
            pass
        finally:
            self._lines.discard(line)
            line.close()
