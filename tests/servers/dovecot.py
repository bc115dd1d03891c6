"""A Dovecot of our own: IMAP with STARTTLS, IMAP over TLS and LMTP on loopback ports, as an unprivileged user."""

from __future__ import annotations

import getpass
import grp
import os
import pwd
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import count
from pathlib import Path

from imapclient import IMAPClient

from servers import LOOPBACK, Authority, binary, free_port, until

CONFIG = """\
base_dir = {root}/run
state_dir = {root}/state
log_path = {root}/log
listen = 127.0.0.1
protocols = imap lmtp
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
default_vsz_limit = 256M
first_valid_uid = 1
first_valid_gid = 1
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
mail_location = maildir:{root}/mail/%u
mail_max_userip_connections = 100
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
service imap-login {{
  chroot =
  process_min_avail = 1
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp_port}
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
service auth {{
  user = {user}
}}
service auth-worker {{
  user = {user}
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={root}/home/%u allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
"""


class Dovecot:
    """Serves a mailbox to every user who knows `password`; a user's first login makes the mailbox.

    `port` is plain with STARTTLS, `tls_port` is TLS from the first byte. Ports and mails stay over a restart.
    """

    host = LOOPBACK
    password = "correct-horse"

    def __init__(self, authority: Authority) -> None:
        self._program = binary("dovecot", "dovecot-imapd dovecot-lmtpd")
        # Unix sockets lie in there, and their paths end at 107 bytes.
        self._root = Path(tempfile.mkdtemp(prefix="wb-", dir="/tmp"))
        # Dovecot serves no mail as root: then the whole server is `nobody`.
        self._user = pwd.getpwnam("nobody" if os.getuid() == 0 else getpass.getuser())
        self._numbers = count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self.port, self.tls_port, self.lmtp_port = free_port(), free_port(), free_port()
        for name in ("run", "state", "home", "mail"):
            (self._root / name).mkdir()
        shutil.copy(authority.certificate, self._root / "server.pem")
        shutil.copy(authority.key, self._root / "server.key")
        (self._root / "conf").write_text(
            CONFIG.format(
                root=self._root,
                user=self._user.pw_name,
                group=grp.getgrgid(self._user.pw_gid).gr_name,
                uid=self._user.pw_uid,
                gid=self._user.pw_gid,
                certificate=self._root / "server.pem",
                key=self._root / "server.key",
                password=self.password,
                port=self.port,
                tls_port=self.tls_port,
                lmtp_port=self.lmtp_port,
            )
        )
        self._give(self._root, *self._root.rglob("*"))

    def __enter__(self) -> Dovecot:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()
        shutil.rmtree(self._root, ignore_errors=True)

    def start(self) -> None:
        """Start the server and wait for its greeting: the port is open before the server can log anybody in."""
        drop = {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []} if os.getuid() == 0 else {}
        with (self._root / "stderr").open("wb") as stderr:
            self._process = subprocess.Popen(
                [self._program, "-F", "-c", str(self._root / "conf")], cwd="/", stderr=stderr, start_new_session=True, **drop
            )
        until(self._greets, what="the greeting of Dovecot")

    def stop(self) -> None:
        """End the server and every connection to it."""
        process, self._process = self._process, None
        if process is None:
            return
        # Its children would go on serving for ten seconds after it has ended.
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            process.wait(10)

    def restart(self) -> None:
        """Stop and start."""
        self.stop()
        self.start()

    def _greets(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._root / "stderr").read_text() + self.log()
        try:
            with socket.create_connection((self.host, self.port), 5) as connection:
                return connection.recv(64).startswith(b"* OK")
        except OSError:
            return False

    def log(self) -> str:
        """What the server wrote down."""
        path = self._root / "log"
        return path.read_text() if path.exists() else ""

    def _give(self, *paths: Path) -> None:
        if os.getuid() == 0:
            for path in paths:
                os.chown(path, self._user.pw_uid, self._user.pw_gid)

    @contextmanager
    def login(self, user: str, folder: str = "INBOX") -> Iterator[IMAPClient]:
        """Another mail program of the same user, with a folder selected that it may write."""
        client = IMAPClient(self.host, self.port, ssl=False, timeout=10)
        try:
            client.login(user, self.password)
            client.normalise_times = False
            client.select_folder(folder)
            yield client
        finally:
            client.logout()

    def deliver(self, user: str, data: bytes, *, folder: str = "INBOX", arrived: datetime | None = None) -> None:
        """Put a mail into a Maildir folder the way a delivery agent does; `arrived` becomes its INTERNALDATE."""
        maildir = self._root / "mail" / user
        if folder != "INBOX":
            maildir /= f".{folder}"
        for part in ("tmp", "new", "cur"):
            if not (maildir / part).exists():
                (maildir / part).mkdir(parents=True)
                self._give(maildir.parent, maildir, maildir / part)
        name = f"{time.time():.6f}.M{next(self._numbers):06}.test"
        written = maildir / "tmp" / name
        written.write_bytes(data)
        if arrived:
            os.utime(written, (arrived.timestamp(), arrived.timestamp()))
        self._give(written)
        written.rename(maildir / "new" / name)

    def lmtp(self, user: str, data: bytes) -> None:
        """Deliver a mail through the server."""
        with smtplib.LMTP(self.host, self.lmtp_port) as client:
            client.sendmail("postman@example.org", [user], data)

    def append(self, user: str, data: bytes, *, folder: str = "INBOX", arrived: datetime | None = None) -> None:
        """Have a mail program store a mail."""
        with self.login(user) as client:
            client.append(folder, data, msg_time=arrived)

    def create(self, user: str, folder: str) -> None:
        """Make a folder."""
        with self.login(user) as client:
            client.create_folder(folder)

    def recreate(self, user: str, folder: str) -> None:
        """Delete a folder and make it again: the same name, another UIDVALIDITY."""
        with self.login(user) as client:
            client.delete_folder(folder)
            client.create_folder(folder)

    def delete(self, user: str, folder: str) -> None:
        """Delete a folder."""
        with self.login(user) as client:
            client.delete_folder(folder)

    def expunge(self, user: str, uids: Sequence[int], *, folder: str = "INBOX") -> None:
        """Take mails away for good."""
        with self.login(user, folder) as client:
            client.delete_messages(list(uids))
            client.expunge()

    def flags(self, user: str, *, folder: str = "INBOX") -> dict[int, set[str]]:
        """The flags of every mail, by UID."""
        with self.login(user, folder) as client:
            got = client.get_flags(client.search("ALL"))
        return {uid: {flag.decode() for flag in flags} for uid, flags in got.items()}
