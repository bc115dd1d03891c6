"""A thousand kills of the real daemon."""

from __future__ import annotations

import random
from pathlib import Path

from figures import Figures
from reliability.kills import Killed, SlowSmtp
from servers.dovecot import Dovecot

KILLS = 1000


def test_the_real_daemon_survives_a_thousand_kills(dovecot: Dovecot, tmp_path: Path, figures: Figures):
    luck = random.Random(1000)
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
