"""Choose what a site's model may learn from reps' corrections, so that no sender and no domain can steer it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pipeline.core.records import Address, Lesson

A_SENDER = 3  # newest first; what a customer writes again and again is no news (reliability rule C17)
A_DOMAIN = 0.05  # of all that is learnt
A_DOMAIN_ANYWAY = 10  # so that a shop with few corrections, or with customers at one big provider, learns at all


def chosen(lessons: Sequence[Lesson]) -> tuple[list[Lesson], dict[str, int]]:
    """What may be learnt, newest first, and how many were left out for which cause."""
    newest = sorted(lessons, key=lambda each: (each.at, each.message), reverse=True)
    of_senders = _at_most(A_SENDER, newest, [each.sender for each in newest])
    domains = [Address(address=each.sender).domain for each in of_senders]
    cap = _cap(Counter(domains))
    kept = _at_most(cap, of_senders, domains)
    left_out = {
        f"more than {A_SENDER} of one sender": len(newest) - len(of_senders),
        f"more than {cap} of one domain": len(of_senders) - len(kept),
    }
    return kept, {cause: count for cause, count in left_out.items() if count}


def _at_most(cap: int, lessons: Sequence[Lesson], owners: Sequence[str]) -> list[Lesson]:
    counts: Counter[str] = Counter()
    kept = []
    for lesson, owner in zip(lessons, owners, strict=True):
        counts[owner] += 1
        if counts[owner] <= cap:
            kept.append(lesson)
    return kept


def _cap(domains: Counter[str]) -> int:
    """The largest number a domain may give so that it is no more than its share of what remains of all."""
    cap = max(domains.values(), default=0)
    while True:
        remains = sum(min(count, cap) for count in domains.values())
        allowed = max(A_DOMAIN_ANYWAY, int(A_DOMAIN * remains))
        if cap <= allowed:
            return allowed
        cap = allowed
