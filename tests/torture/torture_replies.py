"""Five hundred mails whose answer to the final dot is lost."""

from __future__ import annotations

from pathlib import Path

from figures import Figures
from reliability.test_way_out_down import lose_replies

MAILS = 500


def test_a_reply_lost_after_the_dot_is_never_answered_with_a_second_mail(tmp_path: Path, figures: Figures):
    held, doubled = lose_replies(tmp_path, MAILS)
    figures("reply lost after the final dot", mails=MAILS, held_for_a_person=held, doubled=doubled)
    assert (held, doubled) == (MAILS, 0)
