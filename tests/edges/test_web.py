"""The unsubscribe page over real HTTP: GET shows, POST acts, everything else does nothing."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse

import pytest
import uvicorn

from pipeline.edges.web import unsubscribe_app
from pipeline.errors import StoreBroken

GOOD = "ab" * 32
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass
class Page:
    """A running page. `asked` are the tickets it was given."""

    port: int = 0
    asked: list[str] = field(default_factory=list)
    broken: bool = False

    def unsubscribe(self, ticket: str) -> bool:
        if self.broken:
            raise StoreBroken("the disk is full")
        self.asked.append(ticket)
        return ticket == GOOD

    def ask(self, method: str, path: str, body: str | None = None) -> tuple[HTTPResponse, str]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body, FORM if body else {})
            answer = connection.getresponse()
            return answer, answer.read().decode()
        finally:
            connection.close()


@pytest.fixture
def page() -> Iterator[Page]:
    here = Page()
    listener = socket.create_server(("127.0.0.1", 0))
    here.port = listener.getsockname()[1]
    app = unsubscribe_app(here.unsubscribe, ("en", "es"))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    until = time.monotonic() + 10
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    yield here
    server.should_exit = True
    thread.join(10)
    listener.close()


def test_one_click_of_a_mail_program_ends_it(page: Page):
    answer, said = page.ask("POST", f"/unsubscribe?t={GOOD}", "List-Unsubscribe=One-Click")
    assert (answer.status, page.asked) == (200, [GOOD])
    assert "we will not write to you again" in said


def test_twice_is_as_once(page: Page):
    for _ in range(2):
        assert page.ask("POST", f"/?t={GOOD}", "List-Unsubscribe=One-Click")[0].status == 200


def test_looking_at_the_page_changes_nothing(page: Page):
    answer, said = page.ask("GET", f"/unsubscribe?t={GOOD}")
    assert (answer.status, page.asked) == (200, [])
    assert '<form method="post">' in said
    assert "Sí, no más mensajes" in said
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"])
def test_no_other_method_acts(page: Page, method: str):
    page.ask(method, f"/unsubscribe?t={GOOD}")
    assert page.asked == []


@pytest.mark.parametrize("query", ["", "?t=", f"?t={'0' * 64}", f"?t={GOOD}0", "?t=%00%ff", "?u=1"])
def test_what_is_no_ticket_of_ours_is_told_so(page: Page, query: str):
    answer, said = page.ask("POST", f"/unsubscribe{query}", "List-Unsubscribe=One-Click")
    assert answer.status == 404
    assert 'reply "stop"' in said


def test_the_page_repeats_nothing_of_the_address(page: Page):
    assert "script" not in page.ask("GET", "/<script>?t=%3Cscript%3E")[1]


def test_a_store_that_can_not_be_written_to_asks_to_come_again(page: Page):
    page.broken = True
    answer, said = page.ask("POST", f"/?t={GOOD}", "List-Unsubscribe=One-Click")
    assert answer.status == 503
    assert "try again" in said
