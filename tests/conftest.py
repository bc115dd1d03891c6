"""Servers that several tests share. Those that a test may break are started for it alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from figures import Figures, Table, teller
from servers import Authority, make_authority
from servers.chromium import Chromium
from servers.dovecot import Dovecot
from servers.smtp import SmtpServer, SmtpSink

UNWATCHED = frozenset({"reliability", "years"})  # folders of tests that count for no coverage


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Our certificate authority."""
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def dovecot(authority: Authority) -> Iterator[Dovecot]:
    """A running Dovecot; take a user name of your own, and leave it running."""
    with Dovecot(authority) as server:
        yield server


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """A running browser without a window."""
    with Chromium(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture
def smtp_server() -> Iterator[SmtpServer]:
    """An SMTP server without TLS and login."""
    with SmtpServer() as server:
        yield server


@pytest.fixture
def smtp_sink() -> Iterator[SmtpSink]:
    """Postfix's smtp-sink, taking everything."""
    with SmtpSink() as sink:
        yield sink


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    """Tell what a test measured."""
    return teller(request)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave unwatched what floods and kills the program: it takes half as long again, and covers nothing that others do not."""
    for item in items:
        if not UNWATCHED.isdisjoint(item.path.parts):
            item.add_marker("no_cover")


def pytest_configure(config: pytest.Config) -> None:
    """Gather what is measured."""
    config.pluginmanager.register(Table())
