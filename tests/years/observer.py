"""Judges a business by the mail that left it and by what its customers did. Knows nothing of the program that wrote the mail.

Which text a mail is comes from its words, held against the text files; what it answers from In-Reply-To; when it left from
the time of its file.
"""

from __future__ import annotations

import email
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from email import policy
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
REST = timedelta(hours=72)
# A date in words may be meant from its first hour on, and our answer may be counted from the hour it was ready.
SLACK = HOUR


@dataclass(frozen=True, kw_only=True)
class House:
    """The rules that a business lives by: playbook B and D, with the figures of its configuration.

    `after` says for each touch how long after our answer it may come at the earliest.
    """

    name: str
    country: str
    zone: str
    sender: str
    address: str
    opens: time
    closes: time
    days: frozenset[int]
    max_touches: int
    after: Mapping[str, timedelta] = field(hash=False)
    address_days: int
    domain_hour: int
    hour: int
    day: int
    asks_basis: bool
    page: str = ""


@dataclass(frozen=True, kw_only=True)
class Deed:
    """Something that a customer, a server or a person of the business did. `mail` is the Message-ID by which it was told.

    `kind`: cancels, moves, replies, books, opts_out, bounces, complains, human, away (an absence note), rejected (a rep does
    not send the draft that answers `mail`).
    The rest is what a cancellation says: `excluded` is why nobody may follow it up.
    """

    at: datetime
    who: str
    kind: str
    mail: str = ""
    reason: str = ""
    excluded: str = ""
    sensitive: bool = False
    opts_out: bool = False
    wished: date | None = None
    basis: bool = True


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A mail that left: `text` is the name of its text, `words` ours alone, without the quote below them."""

    at: datetime
    to: str
    text: str
    words: str
    answers: str
    id: str
    automatic: bool
    unsubscribe: str = ""
    one_click: str = ""

    @property
    def name(self) -> str:
        """The text without its variant."""
        return re.split("[.@]", self.text)[0]

    @property
    def kind(self) -> str:
        """What the mail is to its reader, by its text alone."""
        if self.name in ("greeting", "prepare"):
            return self.name
        if self.name in ("no_show", "late", "slot_offer"):
            return "note"
        return "touch" if self.name == "thanks" or re.search(r"_\d$", self.name) else "acknowledgment"

    @property
    def sells(self) -> bool:
        """Whether the law takes it for a mail that keeps the business in mind."""
        return self.kind in ("touch", "greeting")


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A rule that a mail broke."""

    rule: str
    who: str
    at: datetime
    says: str


STOPS = frozenset({"replies", "books", "opts_out", "bounces", "complains", "human", "cancels", "moves"})


@dataclass(frozen=True)
class Story:
    """All that happened in one business, in order."""

    house: House
    sent: Sequence[Sent]
    deeds: Sequence[Deed]
    variants: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def by_who(self) -> Mapping[str, Sequence[Deed]]:
        found: dict[str, list[Deed]] = defaultdict(list)
        for deed in self.deeds:
            found[deed.who].append(deed)
        return found

    @cached_property
    def began(self) -> Mapping[str, Deed]:
        """Each mail of a customer, by its Message-ID."""
        return {deed.mail: deed for deed in self.deeds if deed.mail and deed.kind not in ("rejected", "bounces", "complains")}

    @cached_property
    def to(self) -> Mapping[str, Sequence[Sent]]:
        found: dict[str, list[Sent]] = defaultdict(list)
        for one in self.sent:
            found[one.to].append(one)
        return found

    @cached_property
    def under(self) -> Mapping[str, Sequence[Sent]]:
        """What was sent in answer to each mail of a customer."""
        found: dict[str, list[Sent]] = defaultdict(list)
        for one in self.sent:
            found[one.answers].append(one)
        return found


Rule = Callable[[Story], Iterator[tuple[Sent, str]]]


def no_more_touches_than_allowed(story: Story) -> Iterator[tuple[Sent, str]]:
    for mails in story.under.values():
        for one in [mail for mail in mails if mail.kind == "touch"][story.house.max_touches :]:
            yield one, f"more than {story.house.max_touches} touches to one cancellation"


def touches_keep_their_distance(story: Story) -> Iterator[tuple[Sent, str]]:
    for mails in story.to.values():
        touches = [mail for mail in mails if mail.sells]
        for one, two in pairwise(touches):
            if two.at - one.at < REST:
                yield two, f"only {two.at - one.at} after {one.text}"


def touches_wait_for_the_answer(story: Story) -> Iterator[tuple[Sent, str]]:
    for mails in story.under.values():
        answered = next((mail.at for mail in mails if mail.kind == "acknowledgment"), None)
        for one in mails:
            if one.kind != "touch":
                continue
            if answered is None or one.at < answered:
                yield one, "nothing answered the cancellation before"
            elif not _began(story, one).wished and one.at - answered < story.house.after[one.name] - SLACK:
                yield one, f"{one.at - answered} after our answer, and not {story.house.after[one.name]}"


def _began(story: Story, one: Sent) -> Deed:
    return story.began.get(one.answers, Deed(at=datetime.min.replace(tzinfo=UTC), who=one.to, kind="?", excluded="no mail"))


def the_customers_own_date_stands(story: Story) -> Iterator[tuple[Sent, str]]:
    zone = ZoneInfo(story.house.zone)
    for one in story.sent:
        wished = _began(story, one).wished
        if wished and one.kind == "touch" and one.at.astimezone(zone).date() < wished:
            yield one, f"before {wished}, the day that the customer named"


def nothing_follows_a_stop(story: Story) -> Iterator[tuple[Sent, str]]:
    for one in story.sent:
        if not one.sells:
            continue
        began = _began(story, one)
        for deed in story.by_who.get(one.to, ()):
            if deed.kind in STOPS and began.at < deed.at <= one.at:
                yield one, f"after {deed.kind} on {deed.at:%Y-%m-%d %H:%M}"
                break


def follow_ups_leave_in_open_hours(story: Story) -> Iterator[tuple[Sent, str]]:
    for one in story.sent:
        local = one.at.astimezone(ZoneInfo(story.house.zone))
        if one.sells and not (story.house.opens <= local.time() < story.house.closes and local.weekday() in story.house.days):
            yield one, f"{local:%A %H:%M} is no time for it"


def an_address_gets_few_automatic_mails(story: Story) -> Iterator[tuple[Sent, str]]:
    apart = story.house.address_days * DAY
    for mails in story.to.values():
        automatic = [mail for mail in mails if mail.automatic]
        for one, two in pairwise(automatic):
            if two.at - one.at < apart:
                yield two, f"automatic, {two.at - one.at} after {one.text}"


def caps_hold(story: Story) -> Iterator[tuple[Sent, str]]:
    domains: dict[str, list[Sent]] = defaultdict(list)
    for one in story.sent:
        domains[one.to.rpartition("@")[2]].append(one)
    house = story.house
    for mails, length, most in (
        (story.sent, HOUR, house.hour),
        (story.sent, DAY, house.day),
        *((mails, HOUR, house.domain_hour) for mails in domains.values()),
    ):
        for first, last in zip(mails, mails[most:], strict=False):
            if last.at - first.at < length:
                yield last, f"more than {most} mails within {length}"


def the_suppressed_are_left_alone(story: Story) -> Iterator[tuple[Sent, str]]:
    """One exception: a rep may confirm a cancellation to who opted out."""
    for one in story.sent:
        for deed in story.by_who.get(one.to, ()):
            if deed.at > one.at:
                continue
            confirmed = one.kind == "acknowledgment" and not one.automatic
            if deed.kind in ("bounces", "complains") or ((deed.kind == "opts_out" or deed.opts_out) and not confirmed):
                yield one, f"after {deed.kind} on {deed.at:%Y-%m-%d}"
                break


def the_excluded_are_not_followed_up(story: Story) -> Iterator[tuple[Sent, str]]:
    for one in story.sent:
        if one.sells and (why := _began(story, one).excluded):
            yield one, f"no follow-up for {why}"


def without_a_basis_nobody_is_followed_up(story: Story) -> Iterator[tuple[Sent, str]]:
    for one in story.sent:
        if one.sells and story.house.asks_basis and not any(deed.basis for deed in _asked(story, one)):
            yield one, f"no basis in {story.house.country}"


def _asked(story: Story, one: Sent) -> Iterator[Deed]:
    return (deed for deed in story.by_who.get(one.to, ()) if deed.kind in ("cancels", "moves") and deed.at <= one.at)


def a_new_date_is_no_loss(story: Story) -> Iterator[tuple[Sent, str]]:
    for one in story.sent:
        if one.sells and _began(story, one).kind == "moves":
            yield one, "the customer only wants another date"


def a_person_decides_on_what_is_sensitive(story: Story) -> Iterator[tuple[Sent, str]]:
    for one in story.sent:
        if _began(story, one).sensitive and (one.automatic or _MONEY.search(one.words)):
            yield one, "to somebody in trouble: by itself, or of money"


def follow_ups_carry_the_way_out(story: Story) -> Iterator[tuple[Sent, str]]:
    for one in story.sent:
        if not one.sells:
            continue
        if story.house.address not in one.words:
            yield one, "no postal address"
        if not re.search(r'reply "stop"|responda «baja»', one.words):
            yield one, "no opt-out line"
        if not re.search(rf"<mailto:{story.house.sender}\?subject=unsubscribe%20\w+>", one.unsubscribe):
            yield one, "no List-Unsubscribe by mail"
        if story.house.page and not (
            f"<{story.house.page}?t=" in one.unsubscribe and one.one_click == "List-Unsubscribe=One-Click"
        ):
            yield one, "no one-click List-Unsubscribe"


def answers_are_plain_service(story: Story) -> Iterator[tuple[Sent, str]]:
    for one in story.sent:
        if one.kind != "acknowledgment":
            continue
        if found := _OFFER.search(one.words) or _MONEY.search(one.words):
            yield one, f"an offer: {found[0]}"
        if one.words.count("?") > 1:
            yield one, "more than one question"
        if found := _UNTRUE.search(one.words):
            yield one, f"nobody knows that: {found[0]}"
        if one.unsubscribe:
            yield one, "looks like a mailing"


_OFFER = re.compile(
    r"\b(?:discount|offer|voucher|coupon|promo|descuento|oferta|rebaja)\w*|\b(?:special price|deal|for free|cup[oó]n|gratis)\b",
    re.I,
)
_MONEY = re.compile(r"\d ?%|[$€£] ?\d|\d ?(?:USD|EUR|CAD|€)|\b(?:fee|penalizaci[oó]n|recargo)\b", re.I)
_UNTRUE = re.compile(r"\b(?:is|has been|was) cancel+ed|(?:queda|est[aá]|ha sido) cancelad[oa]", re.I)


def one_answer_a_mail(story: Story) -> Iterator[tuple[Sent, str]]:
    for mails in story.under.values():
        for again in [mail for mail in mails if mail.kind == "acknowledgment"][1:]:
            yield again, "the same mail was answered before"
    seen: set[str] = set()
    for one in story.sent:
        if one.id in seen:
            yield one, "went out twice"
        seen.add(one.id)


def nobody_reads_the_same_words_twice(story: Story) -> Iterator[tuple[Sent, str]]:
    """Until all variants of a text were read."""
    for mails in story.to.values():
        read: dict[str, list[str]] = defaultdict(list)
        for one in mails:
            language = "es" if one.text.endswith("@es") else "en"
            family = f"{one.name}@{language}"
            unread = story.variants.get(family, 1) - len(set(read[family]))
            if one.text in read[family] and unread > 0:
                yield one, f"{one.text} again, while {unread} variants were unread"
            read[family].append(one.text)


def every_mail_is_a_known_text(story: Story) -> Iterator[tuple[Sent, str]]:
    for one in story.sent:
        if not one.text:
            yield one, "its words are those of no text"
        if one.answers not in story.began:
            yield one, "it answers no mail of a customer"


RULES: tuple[Rule, ...] = (
    every_mail_is_a_known_text,
    no_more_touches_than_allowed,
    touches_keep_their_distance,
    touches_wait_for_the_answer,
    the_customers_own_date_stands,
    nothing_follows_a_stop,
    follow_ups_leave_in_open_hours,
    an_address_gets_few_automatic_mails,
    caps_hold,
    the_suppressed_are_left_alone,
    the_excluded_are_not_followed_up,
    without_a_basis_nobody_is_followed_up,
    a_new_date_is_no_loss,
    a_person_decides_on_what_is_sensitive,
    follow_ups_carry_the_way_out,
    answers_are_plain_service,
    one_answer_a_mail,
    nobody_reads_the_same_words_twice,
)


def faults(story: Story) -> list[Fault]:
    """Every mail that broke a rule, by rule; empty when all was well."""
    return [
        Fault(rule=rule.__name__, who=one.to, at=one.at, says=f"{one.text}: {says}")
        for rule in RULES
        for one, says in rule(story)
    ]


def unanswered(story: Story) -> list[Deed]:
    """Cancellations and wishes for another date that got no answer, although nothing spoke against one.

    What speaks against it: a rep said no, the same person wrote or was written to again before, or no mail may reach them.
    """
    found = []
    for deed in story.deeds:
        if deed.kind not in ("cancels", "moves") or any(one.kind == "acknowledgment" for one in story.under.get(deed.mail, ())):
            continue
        others = [other for other in story.by_who[deed.who] if other is not deed]
        if not any(_speaks_against(other, deed) for other in others):
            found.append(deed)
    return found


def _speaks_against(other: Deed, deed: Deed) -> bool:
    if other.kind == "rejected":
        return other.mail == deed.mail
    if other.kind in ("opts_out", "complains", "bounces") or other.opts_out:
        return True
    return other.at >= deed.at and other.kind != "away"


class Texts:
    """Knows a text again by its words, whatever was filled in and whatever a rep added."""

    def __init__(self, folder: Path, languages: Sequence[str] = ("en", "es")) -> None:
        self._pieces = {
            f"{file.stem}@{language}": _pieces(file.read_text("utf-8"))
            for language in languages
            for file in sorted((folder / language).glob("*.txt"))
        }

    @property
    def variants(self) -> Mapping[str, int]:
        """How many variants there are of each text, by its name and language."""
        counts: dict[str, int] = defaultdict(int)
        for name in self._pieces:
            stem, _, language = name.rpartition("@")
            counts[f"{stem.split('.')[0]}@{language}"] += 1
        return counts

    def name(self, words: str) -> str:
        """The name of the text with these words, such as `price_1.2@en`; "" when too few of them are of one."""
        said = _flat(words)
        scores = {
            name: sum(len(piece) for piece in pieces if piece in said) / sum(map(len, pieces))
            for name, pieces in self._pieces.items()
            if pieces
        }
        best = max(scores, key=lambda name: scores[name])
        return best if scores[best] > 0.3 else ""


_CODE = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\n\n", re.S)


def _pieces(template: str) -> list[str]:
    _, _, body = template.partition("\n\n")
    return [flat for piece in _CODE.split(body) if len(flat := _flat(piece)) >= 25]


def _flat(text: str) -> str:
    return " ".join(text.split())


def read_sent(folder: Path, texts: Texts) -> list[Sent]:
    """Every mail in a folder, in the order in which they left; the time of a file is when it did."""
    found = []
    for file in folder.glob("*"):
        mail = email.message_from_bytes(file.read_bytes(), policy=policy.default)
        words = _ours(str(mail.get_content()))
        found.append(
            Sent(
                at=datetime.fromtimestamp(file.stat().st_mtime, UTC),
                to=mail["To"].addresses[0].addr_spec.lower(),
                text=texts.name(words),
                words=words,
                answers=str(mail.get("In-Reply-To", "")),
                id=str(mail["Message-ID"]),
                automatic="Auto-Submitted" in mail,
                unsubscribe=str(mail.get("List-Unsubscribe", "")),
                one_click=str(mail.get("List-Unsubscribe-Post", "")),
            )
        )
    return sorted(found, key=lambda one: (one.at, one.id))


def _ours(body: str) -> str:
    lines = body.splitlines()
    quoted = next((number for number, line in enumerate(lines) if line.startswith(">")), len(lines) + 1)
    return "\n".join(lines[: quoted - 1])
