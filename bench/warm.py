"""Start what starts with the first mail: the peers have loaded everything as well before their clocks start."""

from __future__ import annotations

from pipeline.core.records import Place, Raw
from pipeline.site import Site

_FIRST = b"From: Ann <ann@example.org>\nSubject: Friday\n\nI may not need you any more.\n"
_DOUBTFUL = "I think we will stop the lessons for now, but let me talk to my wife first."  # so that its meaning is looked at


def warm(site: Site) -> None:
    """Let a mail be read that the inbox does not hold, and a text be scored."""
    place = Place(folder="warm", epoch="1", uid="1")
    list(site.reader.read_all([Raw(key=place.key, place=place, arrived=site.now(), data=_FIRST)]))
    site.model.score([_DOUBTFUL])
