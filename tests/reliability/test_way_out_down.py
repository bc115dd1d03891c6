"""The mail server cuts, resets, hangs or refuses at every phase of a mail: each ends as it must, none goes out twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from fakes import World, mail, make_world
from figures import Figures
from servers import Line
from servers.smtp import ScriptedSmtp

from pipeline import jobs
from pipeline.daemon import Daemon
from pipeline.edges.smtp import SmtpDelivery

CANCEL = "Please cancel my membership, it is too expensive for me."
PHASES = ("connect", "ehlo", "mail", "rcpt", "data", "dot", "quit")
KINDS: dict[str, Any] = {
    "cut": Line.cut,
    "reset": Line.reset,
    "stalled": Line.hang,
    "4xx": "451 4.3.0 later",
    "5xx": "550 5.7.1 never",
}
SENT, HELD = "sent", "held"


def owed(phase: str, kind: str) -> str:
    """How a mail ends when it goes wrong once like that, and all is well from then on."""
    if phase == "dot" and kind in ("cut", "reset", "stalled"):
        return HELD  # nobody knows whether it went out: a person decides
    if kind == "5xx" and phase in ("mail", "rcpt", "data", "dot"):
        return HELD
    return SENT


def site(folder: Path, server: ScriptedSmtp) -> World:
    world = make_world(folder)
    out = SmtpDelivery(
        host=server.host,
        port=server.port,
        security="none",
        hello="bluedoor.example",
        connect_timeout=0.3,
        timeout=0.3,
        final_timeout=0.3,
    )
    world.site = replace(world.site, delivery=out)
    jobs.poll(world.site)
    world.clock.forward(minutes=1)
    return world


def taken_over(server: ScriptedSmtp, *, lost: bool) -> int:
    """How many times the server took the mail over, whether it could say so or not."""
    return len(server.dotted) if lost else sum(b"250 2.0.0 queued" in said for said in server.answers)


class Noting(ScriptedSmtp):
    """Keeps what it answered to final dots."""

    def __init__(self, script: dict[str, Any]) -> None:
        super().__init__(script)
        self.answers: list[bytes] = []

    def _act(self, line: Line, phase: str) -> str:
        said = super()._act(line, phase)
        if phase == "dot":
            self.answers.append(said.encode())
        return said


@pytest.mark.parametrize(("phase", "kind"), list(product(PHASES, KINDS)))
def test_each_trouble_ends_as_it_must_and_no_mail_goes_out_twice(tmp_path: Path, figures: Figures, phase: str, kind: str):
    script: dict[str, Any] = {phase: [KINDS[kind]]}
    if phase == "ehlo" and kind in ("4xx", "5xx"):
        script["helo"] = [KINDS[kind]]
    with Noting(script) as server:
        world = site(tmp_path, server)
        world.inbox.arrive(mail(CANCEL))
        for _ in range(8):
            Daemon(world.site).once()
            world.clock.forward(hours=1)
        counts = world.site.store.overview.counts()["send"]
        lost = phase == "dot" and kind in ("cut", "reset", "stalled")
        assert counts == {owed(phase, kind): 1}
        assert taken_over(server, lost=lost) == (1 if lost or owed(phase, kind) == SENT else 0)


def lose_replies(folder: Path, times: int) -> tuple[int, int]:
    """So many mails whose answer to the dot is lost. Returns how many ended as held, and how many came twice."""
    troubles: list[Callable[[Line], None]] = [Line.cut, Line.reset]
    with Noting({"dot": [troubles[n % 2] for n in range(times)]}) as server:
        world = site(folder, server)
        world.site = replace(world.site, caps=replace(world.site.caps, hour=10_000, day=10_000, burst=10_000))
        for number in range(times):
            world.inbox.arrive(mail(CANCEL, f"c{number}@c{number}.example", uid=str(number)))
        for _ in range(times // 20 + 8):
            Daemon(world.site).once()
            world.clock.forward(minutes=20)
        seen = [taken.recipients for taken in server.dotted]
        held = world.site.store.overview.counts()["send"].get(HELD, 0)
    return held, len(seen) - len(set(seen))


def test_a_reply_lost_after_the_dot_is_never_answered_with_a_second_mail(tmp_path: Path, figures: Figures):
    held, doubled = lose_replies(tmp_path, 60)
    figures("reply lost after the final dot", mails=60, held_for_a_person=held, doubled=doubled)
    assert (held, doubled) == (60, 0)
