"""Whatever a server does at whatever moment, it is known whether the mail may have gone out."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from servers import Authority, Line, make_authority
from servers.smtp import ScriptedSmtp, SmtpServer, SmtpSink

from pipeline.core.records import Receipt, Send
from pipeline.edges.smtp import SmtpDelivery, wire
from pipeline.errors import ConfigError, NeedsHuman, Refused, TryLater, Uncertain, WinbackError

MAIL = (Path(__file__).parents[1] / "mails" / "edge-haircut.eml").read_bytes()
ASCII = b"From: Dana <dana@bluedoor.example>\r\nTo: maria@customer.example\r\nSubject: Your haircut\r\n\r\nThank you.\r\n"
LARGE = ASCII + b"So it goes on and on and on, in a line of seventy letters or near to that.\r\n" * 250_000
DANA = "dana@bluedoor.example"


def send(data: bytes = ASCII, *, recipient: str = "maria@customer.example", key: str = "k1") -> Send:
    return Send(key=key, draft="d1", message_id=f"<{key}@bluedoor.example>", recipient=recipient, data=data)


def delivery(server: Any, **options: Any) -> SmtpDelivery:
    usual = {"host": server.host, "port": server.port, "security": "none", "hello": "bluedoor.example"}
    return SmtpDelivery(**(usual | options))


def deliver(out: SmtpDelivery, mail: Send | None = None, *, sender: str = DANA, go: bool = True) -> Receipt | None:
    with out.session() as session:
        return session.deliver(mail or send(), sender, lambda: go)


def raises(kind: type[WinbackError], call: Callable[[], object], *words: str) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert all(word in str(caught.value) for word in words), str(caught.value)


class TestAccepted:
    def test_a_mail_arrives_with_its_envelope(self, smtp_server: SmtpServer):
        receipt = deliver(delivery(smtp_server))
        assert receipt == Receipt(code=250, reply="2.0.0 queued as 1")
        (taken,) = smtp_server.mails
        assert (taken.sender, taken.recipients, taken.data) == (DANA, ("maria@customer.example",), ASCII)

    def test_the_envelope_may_have_no_sender(self, smtp_server: SmtpServer):
        assert deliver(delivery(smtp_server), sender="")
        assert smtp_server.mails[0].sender == ""

    def test_a_stranger_reads_the_same_mail(self, smtp_sink: SmtpSink):
        assert deliver(delivery(smtp_sink), send(MAIL.replace(b"\xe2\x80\x99", b"'").replace(b"\xc2\xa1", b"")))
        (taken,) = smtp_sink.mails()
        assert b"X-Mail-Args: <dana@bluedoor.example>" in taken
        assert b"\n...\n.\nTwo lines above begin with dots" in taken

    def test_mails_of_one_session_share_a_connection(self):
        with ScriptedSmtp() as server, delivery(server).session() as session:
            for number in range(3):
                assert session.deliver(send(key=f"k{number}"), DANA, lambda: True)
        assert (server.connections, len(server.dotted)) == (1, 3)
        assert server.commands[-1] == "quit"

    def test_a_goodbye_that_fails_changes_nothing(self):
        for end in (Line.cut, Line.reset, "500 no"):
            with ScriptedSmtp({"quit": end}) as server:
                assert deliver(delivery(server))

    def test_a_connection_that_went_stale_between_two_mails_is_replaced(self):
        for end in (Line.cut, Line.reset, "421 4.3.2 too many mails", "452 4.5.3 enough"):
            usual = "250 2.1.0 ok"
            with ScriptedSmtp({"mail": [usual, end]}) as server, delivery(server).session() as session:
                assert session.deliver(send(key="k1"), DANA, lambda: True)
                assert session.deliver(send(key="k2"), DANA, lambda: True)
            assert (server.connections, len(server.dotted)) == (2, 2)

    def test_a_new_connection_is_tried_once_only(self):
        with ScriptedSmtp({"mail": ["250 ok", Line.cut, "421 busy"]}) as server, delivery(server).session() as session:
            assert session.deliver(send(key="k1"), DANA, lambda: True)
            raises(TryLater, lambda: session.deliver(send(key="k2"), DANA, lambda: True), "421 busy")
        assert server.connections == 2

    def test_a_mail_after_a_failure_gets_a_connection_of_its_own(self):
        with ScriptedSmtp({"rcpt": ["550 5.1.1 no such user"]}) as server, delivery(server).session() as session:
            raises(Refused, lambda: session.deliver(send(key="k1"), DANA, lambda: True))
            assert session.deliver(send(key="k2"), DANA, lambda: True)
        assert (server.connections, len(server.dotted)) == (2, 1)

    def test_a_server_of_the_old_school_is_greeted_with_helo(self):
        with ScriptedSmtp({"ehlo": "502 5.5.1 what?"}) as server:
            assert deliver(delivery(server))
        assert "helo bluedoor.example" in server.commands

    def test_a_long_answer_is_one_line(self):
        with ScriptedSmtp({"dot": "250-2.0.0 all\r\n250 is well"}) as server:
            assert deliver(delivery(server)) == Receipt(code=250, reply="2.0.0 all is well")


class TestBeforeTheDot:
    @pytest.mark.parametrize("large", [False, True])
    def test_a_mail_that_may_not_finish_is_not_delivered(self, smtp_server: SmtpServer, large: bool):
        out = delivery(smtp_server)
        assert deliver(out, send(LARGE if large else ASCII), go=False) is None
        assert deliver(out, send(b"Subject: the next\r\n\r\n"))
        assert [taken.data for taken in smtp_server.mails] == [b"Subject: the next\r\n\r\n"]

    def test_the_question_comes_when_only_the_dot_is_missing(self):
        asked: list[tuple[int, str]] = []

        def ask() -> bool:
            asked.append((len(server.dotted), server.commands[-1]))
            return True

        with ScriptedSmtp() as server, delivery(server).session() as session:
            assert session.deliver(send(), DANA, ask)
        assert asked == [(0, "DATA")]
        assert len(server.dotted) == 1

    def test_an_error_of_the_one_who_is_asked_breaks_the_mail_off(self):
        def fail() -> bool:
            raise LookupError("the store is gone")

        with ScriptedSmtp() as server, delivery(server).session() as session:
            with pytest.raises(LookupError):
                session.deliver(send(), DANA, fail)
            assert session.deliver(send(), DANA, lambda: True)
        assert len(server.dotted) == 1

    @pytest.mark.parametrize(
        ("phase", "name"), [("mail", "MAIL FROM"), ("rcpt", "RCPT TO"), ("data", "DATA"), ("body", "the text of the mail")]
    )
    @pytest.mark.parametrize(
        ("action", "kind", "words"),
        [
            ("451 4.7.1 greylisted", TryLater, "451 4.7.1 greylisted"),
            ("421 4.3.2 going down", TryLater, "421 4.3.2 going down"),
            ("550 5.7.1 not\r\n550 x", Refused, "550 5.7.1 not"),
            ("530 5.7.0 who are you", NeedsHuman, "delivery.password"),
            ("garbage", TryLater, "answered -1"),
            (Line.cut, TryLater, ""),
            (Line.reset, TryLater, ""),
            (Line.hang, TryLater, "timed out"),
        ],
        ids=["4xx", "421", "5xx", "530", "garbage", "cut", "reset", "hang"],
    )
    def test_trouble_with_a_mail(self, phase: str, name: str, action: Any, kind: type[WinbackError], words: str):
        with ScriptedSmtp({phase: action}) as server:
            mail = send(LARGE if phase == "body" else ASCII)
            raises(kind, lambda: deliver(delivery(server, timeout=0.3), mail), f"smtp://127.0.0.1:{server.port}", name, words)
        assert server.dotted == []

    @pytest.mark.parametrize(("phase", "name"), [("connect", "the greeting"), ("ehlo", "EHLO"), ("auth", "the login")])
    @pytest.mark.parametrize(
        ("action", "kind", "words"),
        [
            ("454 4.7.0 later", TryLater, "later"),
            ("554 5.7.1 never", NeedsHuman, "never"),
            ("garbage", TryLater, ""),
            (Line.cut, TryLater, ""),
            (Line.reset, TryLater, ""),
            (Line.hang, TryLater, "timed out"),
        ],
        ids=["4xx", "5xx", "garbage", "cut", "reset", "hang"],
    )
    def test_trouble_with_the_account_is_not_the_fault_of_one_mail(
        self, phase: str, name: str, action: Any, kind: type[WinbackError], words: str
    ):
        script = {"ehlo": "250-sink\r\n250 AUTH PLAIN", phase: action}
        if phase == "ehlo":
            script["helo"] = action
        with ScriptedSmtp(script) as server:
            out = delivery(server, timeout=0.3, connect_timeout=0.3, user="dana", password=lambda: "secret")
            raises(kind, lambda: deliver(out), name, words)
        assert server.dotted == []

    def test_nobody_listens(self):
        with ScriptedSmtp() as server:
            out = delivery(server)
        raises(TryLater, lambda: deliver(out), "refused", "look at host and port in delivery.url")

    def test_a_host_that_does_not_exist_is_tried_later(self):
        with ScriptedSmtp() as server:
            raises(
                TryLater, lambda: deliver(delivery(server, host="nowhere.invalid", security="tls")), "smtps://nowhere.invalid"
            )

    def test_postfix_says_not_now_to_data(self):
        with SmtpSink("-r", "DATA") as sink:
            raises(TryLater, lambda: deliver(delivery(sink)), "450")

    def test_a_slow_line_has_the_timeout_for_each_piece(self):
        def slowly(line: Line) -> None:
            for _ in range(10):
                time.sleep(0.2)
                for _ in range(20_000):
                    line.read()

        with ScriptedSmtp({"body": slowly}) as server:
            assert deliver(delivery(server, timeout=1.5), send(LARGE))


class TestAfterTheDot:
    @pytest.mark.parametrize(
        ("action", "kind", "words"),
        [
            ("451 4.3.0 disk full", TryLater, "451 4.3.0 disk full"),
            ("421 4.3.2 going down", TryLater, "421"),
            ("554 5.7.1 spam", Refused, "554 5.7.1 spam"),
            ("535 5.7.8 odd", Refused, "535"),
            ("354 go on", Uncertain, "354"),
            ("garbage", Uncertain, "says nothing"),
            ("25", Uncertain, "says nothing"),
            ("250-half\r\n250-an answer", Uncertain, "may have gone out"),
            ("x" * 10_000, Uncertain, "may have gone out"),
            (Line.cut, Uncertain, "may have gone out"),
            (Line.reset, Uncertain, "may have gone out"),
            (Line.hang, Uncertain, "timed out"),
        ],
        ids=["4xx", "421", "5xx", "535", "3xx", "garbage", "short", "half", "endless", "cut", "reset", "hang"],
    )
    def test_trouble_with_the_answer(self, action: Any, kind: type[WinbackError], words: str):
        with ScriptedSmtp({"dot": action}) as server:
            raises(kind, lambda: deliver(delivery(server, final_timeout=0.3)), words)
        assert len(server.dotted) == 1

    def test_the_answer_is_awaited_longer_than_any_other(self):
        def late(line: Line) -> None:
            time.sleep(0.5)
            line.write(b"250 2.0.0 at last\r\n")

        with ScriptedSmtp({"dot": late}) as server:
            assert deliver(delivery(server, timeout=0.2)) == Receipt(code=250, reply="2.0.0 at last")

    def test_the_long_patience_ends_with_the_mail(self):
        with ScriptedSmtp({"mail": ["250 ok", Line.hang]}) as server:
            out = delivery(server, timeout=0.2)
            began = time.monotonic()
            with out.session() as session:
                assert session.deliver(send(key="k1"), DANA, lambda: True)
                assert session.deliver(send(key="k2"), DANA, lambda: True)
            assert time.monotonic() - began < 10

    def test_postfix_hangs_up_after_the_mail(self):
        with SmtpSink("-q", ".") as sink:
            raises(Uncertain, lambda: deliver(delivery(sink)))


class TestText:
    @pytest.mark.parametrize(
        ("data", "travels"),
        [
            (b"a\r\nb\r\n", b"a\r\nb\r\n"),
            (b"a\nb", b"a\r\nb\r\n"),
            (b"a\rb\r", b"a\r\nb\r\n"),
            (b".\r\n", b"..\r\n"),
            (b"a\n.\nb\n..\n", b"a\r\n..\r\nb\r\n...\r\n"),
            (b"a\r.\rQUIT\r", b"a\r\n..\r\nQUIT\r\n"),
            (b"a.b\r\n", b"a.b\r\n"),
            (b"", b"\r\n"),
            (b"x" * 5000, b"x" * 5000 + b"\r\n"),
        ],
    )
    def test_line_ends_and_dots(self, data: bytes, travels: bytes):
        assert wire(data) == travels

    @given(st.lists(st.sampled_from([b"\r", b"\n", b".", b"a", b"\r\n.\r\n", b"\n.\n", b"\0"])).map(b"".join))
    def test_no_text_can_end_its_mail(self, data: bytes):
        travels = wire(data)
        lines = travels.split(b"\r\n")
        assert b"." not in lines
        assert lines[-1] == b""
        assert not any(b"\r" in line or b"\n" in line for line in lines)
        # What the receiver makes of it is the text again, with the line ends of mail.
        received = b"\r\n".join(line.removeprefix(b".") for line in lines)
        assert received.removesuffix(b"\r\n") == data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(
            b"\n", b"\r\n"
        ).removesuffix(b"\r\n")

    def test_a_long_line_and_leading_dots_arrive_as_they_are(self):
        data = b"Subject: x\r\n\r\n.\r\n..\r\n" + b"y" * 70_000 + b"\r\n.z"
        with ScriptedSmtp() as server:
            assert deliver(delivery(server), send(data))
        assert server.dotted[0].data == b"Subject: x\r\n\r\n..\r\n...\r\n" + b"y" * 70_000 + b"\r\n..z\r\n"

    def test_8_bit_text_is_announced(self, smtp_server: SmtpServer):
        assert deliver(delivery(smtp_server), send(MAIL))
        (taken,) = smtp_server.mails
        assert taken.data == MAIL.replace(b"\n", b"\r\n")
        assert taken.options == (f"SIZE={len(wire(MAIL))}", "BODY=8BITMIME")

    def test_addresses_and_headers_outside_ascii_are_announced(self, smtp_server: SmtpServer):
        out = delivery(smtp_server)
        assert deliver(out, send(recipient="maría@customer.example"))
        assert deliver(out, send("Subject: ¿Qué?\r\n\r\nhola\r\n".encode()))
        assert smtp_server.mails[0].recipients == ("maría@customer.example",)
        assert all("SMTPUTF8" in taken.options for taken in smtp_server.mails)

    @pytest.mark.parametrize(
        ("mail", "words"),
        [
            (send(recipient="maría@customer.example"), "SMTPUTF8"),
            (send("Subject: ¿Qué?\r\n\r\nhola\r\n".encode()), "SMTPUTF8"),
            (send(b"Subject: x\r\n\r\nma\xf1ana\r\n"), "8BITMIME"),
        ],
    )
    def test_what_a_server_can_not_take_is_not_sent_mutilated(self, mail: Send, words: str):
        with ScriptedSmtp({"ehlo": "250 sink"}) as server:
            raises(Refused, lambda: deliver(delivery(server), mail), words)
        assert not any(command.startswith("MAIL") for command in server.commands)


class TestAddresses:
    @pytest.mark.parametrize(
        "address",
        [
            "",
            "maria",
            "a@b.example\r\nRCPT TO:<c@d.example>",
            "a@b.example\n",
            "a\0@b.example",
            "a b@c.example",
            " a@b.example",
            "a@b.example> SIZE=1",
            "<a@b.example>",
            "a@b.example,c@d.example d",
            "a\u2028@b.example",
            "a\x85@b.example",
            "a\u00a0@b.example",
            "a\udcff@b.example",
            "a@b@c.example",
        ],
    )
    def test_what_is_no_address_never_reaches_the_server(self, address: str):
        with ScriptedSmtp() as server:
            out = delivery(server)
            raises(Refused, lambda: deliver(out, send(recipient=address)), "recipient", "nothing was sent")
            if address:
                raises(Refused, lambda: deliver(out, sender=address), "sender", "nothing was sent")
        assert server.connections == 0

    def test_an_address_is_never_reinterpreted(self):
        # email.utils.parseaddr, which smtplib applies, reads another address out of this one (CVE-2023-27043).
        odd = "alice@example.org)bob.evil.example"
        with ScriptedSmtp() as server:
            assert deliver(delivery(server), send(recipient=odd))
        assert server.dotted[0].recipients == (f"RCPT TO:<{odd}>",)

    @settings(deadline=None, max_examples=40)
    @given(st.text(max_size=20))
    def test_no_address_makes_a_second_command(self, text: str):
        with ScriptedSmtp() as server:
            try:
                deliver(delivery(server), send(recipient=f"{text}@customer.example"))
            except Refused:
                return
        verbs = [command.split(" ")[0].upper() for command in server.commands]
        assert verbs == ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"]


class TestSecurity:
    def test_tls_from_the_first_byte_and_a_login(self, authority: Authority):
        with SmtpServer(tls=authority.server(), login=True) as server:
            secure = {"host": "localhost", "security": "tls", "ssl_context": authority.client()}
            out = delivery(server, user=server.user, password=lambda: server.password, **secure)
            assert deliver(out)
            assert out.check() == f"smtps://localhost:{server.port}: encrypted, logged in as dana, takes mails of up to 32 MB"
        assert [taken.user for taken in server.mails] == ["dana"]

    def test_starttls_and_a_login(self, authority: Authority):
        with SmtpServer(starttls=authority.server(), login=True) as server:
            secure = {"host": "localhost", "security": "starttls", "ssl_context": authority.client()}
            assert deliver(delivery(server, user=server.user, password=lambda: server.password, **secure))
        assert [taken.user for taken in server.mails] == ["dana"]

    @pytest.mark.parametrize("security", ["tls", "starttls"])
    def test_a_certificate_of_a_stranger_is_refused(self, security: str, authority: Authority, tmp_path: Path):
        with SmtpServer(**{security: authority.server()}) as server:
            other = make_authority(tmp_path).client()
            out = delivery(server, host="localhost", security=security, ssl_context=other)
            raises(NeedsHuman, lambda: deliver(out), "certificate", "localhost", "delivery.url")
            raises(NeedsHuman, out.check, "certificate")
        assert server.mails == []

    def test_a_certificate_for_another_name_is_refused(self, tmp_path: Path):
        other = make_authority(tmp_path, names="DNS:smtp.example.com")
        with SmtpServer(tls=other.server()) as server:
            out = delivery(server, host="localhost", security="tls", ssl_context=other.client())
            raises(NeedsHuman, lambda: deliver(out), "certificate")

    def test_a_server_without_starttls_gets_neither_password_nor_mail(self, authority: Authority):
        with ScriptedSmtp({"ehlo": "250-sink\r\n250 AUTH PLAIN"}) as server:
            context = authority.client()
            out = delivery(server, security="starttls", ssl_context=context, user="dana", password=lambda: "secret")
            raises(NeedsHuman, lambda: deliver(out), "STARTTLS", "unencrypted")
        assert {command.split(" ")[0] for command in server.commands} == {"ehlo"}

    @pytest.mark.parametrize(("answer", "kind"), [("454 4.7.0 later", TryLater), ("501 5.5.4 no", NeedsHuman)])
    def test_a_server_that_refuses_starttls_gets_nothing(self, answer: str, kind: type[WinbackError], authority: Authority):
        with ScriptedSmtp({"ehlo": "250-sink\r\n250 STARTTLS", "starttls": answer}) as server:
            raises(kind, lambda: deliver(delivery(server, security="starttls", ssl_context=authority.client())), "STARTTLS")
        assert "MAIL" not in " ".join(server.commands)

    def test_what_was_slipped_in_before_the_encryption_is_forgotten(self, authority: Authority):
        def inject(line: Line) -> None:
            line.write(b"220 go on\r\n250-evil\r\n250 AUTH PLAIN\r\n")
            line.start_tls(authority.server())

        with ScriptedSmtp({"ehlo": ["250-sink\r\n250 STARTTLS", "250 sink"], "starttls": inject}) as server:
            out = delivery(server, host="localhost", security="starttls", ssl_context=authority.client())
            assert deliver(out)
        assert len(server.dotted) == 1

    def test_a_port_that_speaks_no_tls_needs_a_person(self, smtp_server: SmtpServer):
        raises(NeedsHuman, lambda: deliver(delivery(smtp_server, security="tls")), "TLS", "delivery.url")

    def test_a_server_that_breaks_off_the_handshake_is_tried_later(self):
        with ScriptedSmtp({"connect": Line.cut}) as server:
            raises(TryLater, lambda: deliver(delivery(server, security="tls")), "the greeting")

    def test_a_wrong_password_needs_a_person_and_is_tried_once(self):
        script = {"ehlo": "250-sink\r\n250 AUTH CRAM-MD5 LOGIN PLAIN", "auth": "535 5.7.8 wrong"}
        with ScriptedSmtp(script) as server:
            out = delivery(server, user="dana", password=lambda: "wrong-horse")
            with pytest.raises(NeedsHuman, match=r"535 5\.7\.8 wrong.*delivery\.password") as caught:
                deliver(out)
        assert "wrong-horse" not in str(caught.value)
        assert sum(command.startswith("AUTH") for command in server.commands) == 1

    def test_login_works_where_plain_is_not_offered(self):
        def ask(line: Line) -> None:
            line.write(b"334 UGFzc3dvcmQ6\r\n")
            assert line.read() == b"c2VjcmV0\r\n"
            line.write(b"235 2.7.0 welcome\r\n")

        with ScriptedSmtp({"ehlo": "250-sink\r\n250 AUTH XOAUTH2 LOGIN", "auth": ask}) as server:
            assert deliver(delivery(server, user="dana", password=lambda: "secret"))

    @pytest.mark.parametrize("offered", ["250 sink", "250-sink\r\n250 AUTH XOAUTH2"])
    def test_a_server_that_takes_no_password_needs_a_person(self, offered: str):
        with ScriptedSmtp({"ehlo": offered}) as server:
            raises(
                NeedsHuman, lambda: deliver(delivery(server, user="dana", password=lambda: "secret")), "no login by password"
            )

    def test_a_password_outside_ascii_needs_a_person(self):
        with ScriptedSmtp({"ehlo": "250-sink\r\n250 AUTH PLAIN"}) as server:
            raises(NeedsHuman, lambda: deliver(delivery(server, user="dana", password=lambda: "contraseña")), "ASCII")

    @pytest.mark.parametrize("host", ["smtp.example.com", "10.0.0.1", "localhost.example.com"])
    def test_plaintext_goes_to_this_machine_only(self, host: str):
        with pytest.raises(ConfigError, match="unencrypted"):
            SmtpDelivery(host=host, port=25, security="none", hello="bluedoor.example")

    def test_old_tls_is_not_spoken(self, smtp_server: SmtpServer):
        assert delivery(smtp_server)._context.minimum_version == ssl.TLSVersion.TLSv1_2


class TestCheck:
    def test_all_is_well(self, smtp_server: SmtpServer):
        assert delivery(smtp_server).check() == (
            f"smtp://127.0.0.1:{smtp_server.port}: unencrypted on this machine, no login, takes mails of up to 32 MB"
        )
        assert smtp_server.mails == []

    def test_a_server_that_is_away_is_an_error(self):
        with ScriptedSmtp() as server:
            out = delivery(server)
        raises(TryLater, out.check)

    def test_nothing_can_be_known_of_earlier_mails(self, smtp_server: SmtpServer):
        assert delivery(smtp_server).delivered(send()) is None

    def test_the_name_in_ehlo_is_ascii(self):
        with ScriptedSmtp() as server:
            delivery(server, hello="peluquería.example").check()
        assert server.commands[0] == "ehlo xn--peluquera-n5a.example"

    def test_a_name_that_is_none_is_a_mistake_of_the_configuration(self, smtp_server: SmtpServer):
        with pytest.raises(ConfigError):
            delivery(smtp_server, hello="a..b")
