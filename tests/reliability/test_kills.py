"""The real daemon is killed at random times, with a real IMAP server and a real SMTP server: nothing is lost or doubled."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from figures import Figures
from servers.dovecot import Dovecot

from reliability.kills import Killed, SlowSmtp

KILLS = 50


@pytest.mark.slow
def test_the_real_daemon_survives_being_killed_at_random_times(dovecot: Dovecot, tmp_path: Path, figures: Figures):
    luck = random.Random(2)
    with SlowSmtp(luck) as smtp:
        killed = Killed(tmp_path, dovecot, smtp, luck)
        killed.first_look()
        for _ in range(KILLS):
            killed.live(longest=2.5)
        killed.come_to_rest()
        wrongs = killed.wrongs()
    figures(
        "the real daemon killed (SIGKILL) at random times",
        kills=killed.kills,
        mails=len(killed.written),
        uncertain=killed.uncertain(),
        wrongs=len(wrongs),
    )
    assert wrongs == []
    assert killed.kills == KILLS
