"""Find the days that a customer names, and say what each is for. A closed grammar: what it can't place it leaves out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pipeline.core.folded import fold
from pipeline.core.purposes import Mention, asked, purposes
from pipeline.core.records import DateKind, DayPurpose, FoundDate, Intent, Message, Rules

SEEN = 4_000  # characters of a mail that are searched
_SATURDAY = 5
_A_WEEK, _A_MONTH = timedelta(days=7), timedelta(days=31)
_EARLY = 10  # day of a month until which the rest of it is long
_SOON, _LATELY = timedelta(days=62), timedelta(days=120)  # a day of the year that is so near is the one that is meant
_SOUTH = frozenset({"AR", "AU", "BO", "BR", "CL", "NZ", "PE", "PY", "UY", "ZA"})
_KINGS_DAY_ENDS_IT = frozenset({"ES"})  # where the Christmas holidays last until Epiphany


def _numbered(*spellings: str) -> dict[str, int]:
    return {word: number for number, line in enumerate(spellings) for word in line.split()}


_MONTHS = _numbered(
    "",
    "january jan enero ene",
    "february feb febrero",
    "march mar marzo",
    "april apr abril abr",
    "may mayo",
    "june jun junio",
    "july jul julio",
    "august aug agosto ago",
    "september sept sep septiembre setiembre set",
    "october oct octubre",
    "november nov noviembre",
    "december dec diciembre dic",
)
_WEEKDAYS = _numbered(
    "monday mon lunes",
    "tuesday tues tue martes",
    "wednesday weds wed miercoles",
    "thursday thurs thur thu jueves",
    "friday fri viernes",
    "saturday sat sabado",
    "sunday sun domingo",
)
# Before a date its weekday is written shorter still.
_DATED_WEEKDAYS = _WEEKDAYS | _numbered("lun", "mar", "mie", "jue", "vie", "sab", "dom")
_NUMBERS = _numbered(
    "",
    "a an one un una uno",
    "two couple dos par",
    "three tres few unos unas algunos algunas pocos pocas",
    "four cuatro several varios varias",
    "five cinco",
    "six seis",
    "seven siete",
    "eight ocho",
    "nine nueve",
    "ten diez",
    "eleven once",
    "twelve doce dozen docena",
    "thirteen trece",
    "fourteen catorce",
    "fifteen quince",
    "sixteen dieciseis",
    "seventeen diecisiete",
    "eighteen dieciocho",
    "nineteen diecinueve",
    "twenty veinte",
)
_TENS = _numbered("", "", "", "thirty treinta", "forty cuarenta", "fifty cincuenta", "sixty sesenta", "", "", "ninety noventa")
_NUMBERS |= {word: 10 * tens for word, tens in _TENS.items()}
# In days; months and years have no fixed length and count as 0 and -1.
_UNITS = {
    **dict.fromkeys(("day", "days", "dia", "dias"), 1),
    **dict.fromkeys(("week", "weeks", "semana", "semanas"), 7),
    **dict.fromkeys(("fortnight", "fortnights"), 14),
    "quincena": 15,
    **dict.fromkeys(("month", "months", "mes", "meses"), 0),
    **dict.fromkeys(("year", "years", "ano", "anos"), -1),
}
_ORDINALS = _numbered(
    "", "first 1st primer primero 1er", "second 2nd segundo 2o", "third 3rd tercer tercero 3er", "fourth 4th cuarto 4o"
)
_TENTHS = "first second third fourth fifth sixth seventh eighth ninth"
_TEENS = "tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth"
_SPELT_DAYS = (
    _numbered(
        "",
        *f"{_TENTHS} {_TEENS} twentieth".split(),
        *(f"twenty-{ordinal}" for ordinal in _TENTHS.split()),
        *("thirtieth", "thirty-first"),
    )
    | _numbered(
        "",
        *"uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciseis diecisiete".split(),
        *"dieciocho diecinueve veinte veintiuno veintidos veintitres veinticuatro veinticinco veintiseis veintisiete".split(),
        *("veintiocho", "veintinueve", "treinta"),
    )
    | {"primero": 1}
)

# Words that are months only in company: "may I", "march", "dec" ...
_SHY_MONTHS = frozenset("may march mar jan dec ago set sep jun jul feb apr aug oct nov ene abr dic".split())
_SHY_DAYS = frozenset("sun sat mon wed fri tue thu thur".split())


@dataclass(frozen=True, kw_only=True, slots=True)
class _World:
    """Where and when the mail was written."""

    today: date
    country: str

    @property
    def south(self) -> bool:
        return self.country in _SOUTH


@dataclass(frozen=True, kw_only=True, slots=True)
class _Hit:
    """What a row of the grammar found: its groups, the little words before it, and whether it (its month) has a capital."""

    match: re.Match[str]
    before: str
    capital: bool
    world: _World

    def __getitem__(self, name: str) -> str:
        return self.match.groupdict().get(name) or ""

    @property
    def year(self) -> int | None:
        """The year that is named with it: `2027`, `27`, `next year`, `del año que viene`."""
        if self["year"]:
            return int(self["year"]) if len(self["year"]) == 4 else 2000 + int(self["year"])
        if self["year_said"]:
            return self.world.today.year + _step(self["year_said"])
        return None

    def place(
        self, day: date | None, back: date | None = None, *, settled: bool = False, apart: bool = False
    ) -> Mention | None:
        """The place of this hit, `apart` from a weekday that is named before it; None when there is no such day."""
        if day is None:
            return None
        start = self.match.end("day_before") if apart else self.match.start() - len(self.before)
        end, said = self.match.end(), self.match.string
        if "(" in said[start:end] and said.startswith(")", end):
            end += 1  # "Thursday (April 9)"
        return Mention(start=start, end=end, day=day, back=back, settled=settled)


def find(message: Message, intent: Intent, rules: Rules, learnt: DayPurpose | None = None) -> tuple[FoundDate, ...]:
    """The days named in the subject and the new words, resolved against the day the mail was sent in the business's zone.

    `learnt` says what each is for; without it cues do. They come in their order, those of the subject with -1 as their place;
    so does the day of a called-off calendar entry (RFC 5546).
    """
    read = _read(message, rules)
    kinds = purposes(read.folded, read.places, read.begins, intent, read.today, learnt)
    found = [_found(read, place, kind) for place, kind in zip(read.places, kinds, strict=True)]
    calendar = message.calendar
    if calendar and calendar.start and (calendar.method == "CANCEL" or calendar.partstat == "DECLINED"):
        day = calendar.start.astimezone(ZoneInfo(rules.business.timezone)).date()
        found.insert(0, FoundDate(text=day.isoformat(), day=day, kind=DateKind.CANCELLED, start=-1, end=-1))
    return tuple(found)


def noted(message: Message, intent: Intent, rules: Rules) -> list[tuple[Mention, dict[str, float]]]:
    """The days named in subject and new words, with places in both, and what there is to learn from about their purpose."""
    read = _read(message, rules)
    return list(zip(read.places, asked(read.folded, read.places, read.begins, intent, read.today), strict=True))


class _Reading(NamedTuple):
    """A day and the row of the grammar that read it."""

    place: Mention
    how: Callable[[_Hit], Mention | None]


class _Read(NamedTuple):
    """Subject and new words, where the words begin, the same folded, and the days named in them."""

    text: str
    begins: int
    folded: str
    places: list[Mention]
    today: date


def _read(message: Message, rules: Rules) -> _Read:
    world, (text, begins) = _world(message, rules), _whole(message)
    folded = fold(text)
    return _Read(text, begins, folded, _places(folded, text, world), world.today)


def _whole(message: Message) -> tuple[str, int]:
    """Subject and new words, and where the words begin: no sentence goes on from one to the other."""
    before = f"{message.subject}\n\n" if message.subject else ""
    return f"{before}{message.text[:SEEN]}", len(before)


def _world(message: Message, rules: Rules) -> _World:
    zone = ZoneInfo(rules.business.timezone)
    return _World(today=(message.sent or message.arrived).astimezone(zone).date(), country=rules.business.country)


def _found(read: _Read, place: Mention, kind: DateKind) -> FoundDate:
    if _behind(place, kind, read.today):
        kind = DateKind.PAST
    day = place.back if place.back and kind is DateKind.PAST else place.day
    if kind is DateKind.RETURN and day <= read.today and place.again:
        day = place.again
    start, end = (place.start - read.begins, place.end - read.begins) if place.start >= read.begins else (-1, -1)
    return FoundDate(text=read.text[place.start : place.end], day=day, kind=kind, start=start, end=end, rough=place.rough)


def _behind(place: Mention, kind: DateKind, today: date) -> bool:
    """Whether a day that is merely spoken of is the one that has just been: who means next year's says so."""
    gone = place.back is not None and today - place.back < _LATELY
    return kind is DateKind.MENTIONED and not place.settled and gone and place.day - today > _LATELY


_AROUND = 48  # characters: no reading of a day reaches farther from the word that gives it away


def _places(folded: str, text: str, world: _World) -> list[Mention]:
    """The days that can be placed, in their order; a longer reading takes its words from a shorter one."""
    windows = _windows(folded)
    found: list[_Reading] = []
    taken: list[tuple[int, int]] = []
    for needs, pattern, resolve in _ROWS:
        for begin, end in windows.get(needs, ()):
            for match in pattern.finditer(folded, begin, end):
                if any(match.start() < last and first < match.end() for first, last in taken):
                    continue
                place = resolve(_hit(match, folded, text, world))
                if place is not None:
                    found.append(_Reading(replace(place, rough=_is_rough(resolve, match)), resolve))
                # A day that does not exist keeps its words: "29 February" is not "the 29th"; nor is a share a day.
                if place is not None or resolve is _day_and_month:
                    taken.append((max(match.start(), place.start if place else 0), match.end()))
    found.sort(key=lambda reading: reading.place.start)
    found = _in_their_weeks(folded, _in_their_months(folded, found))
    return [reading.place for reading in _in_the_weeks_after(folded, found, world.today)]


def _in_their_months(folded: str, found: Sequence[_Reading]) -> list[_Reading]:
    """`3 October or, if that is taken, the 10th`, `in January, after the 11th`: a bare day has the month named before it."""
    read = list(found)
    for number, ((before, how), (place, later)) in enumerate(pairwise(found), 1):
        between = folded[before.end : place.start]
        if how in _NAME_A_MONTH and later is _nth and len(between) < _AROUND and not re.search(r"[.!?\n]", between):
            day = _date(before.day.year, before.day.month, place.day.day)
            if day and day > before.day:
                read[number] = _Reading(replace(place, day=day, back=None), later)
    return read


def _in_their_weeks(folded: str, found: Sequence[_Reading]) -> list[_Reading]:
    """`next week Tuesday or Wednesday`, `Tuesday or Wednesday of next week`: the other weekday is of the same week."""
    read = list(found)
    for number in range(1, len(read)):
        read[number] = _beside(folded, read[number - 1], read[number], read[number], _ANOTHER)
    for number in range(len(read) - 1, 0, -1):
        if read[number].how is _of_week:  # but "Thursday and next week Tuesday" names two weeks
            read[number - 1] = _beside(folded, read[number - 1], read[number], read[number - 1], _EITHER)
    return read


def _in_the_weeks_after(folded: str, found: Sequence[_Reading], today: date) -> list[_Reading]:
    """`I can't do the 14th, is the week after free?`, `or the following Saturday`: after the day that is named before it."""
    read = list(found)
    for number in range(1, len(read)):
        before, (place, how) = read[number - 1].place, read[number]
        if "\n\n" in folded[before.end : place.start]:
            continue
        named = max(before.day, today)
        if folded[place.start : place.end].endswith(_WEEK_AFTER):
            day = _monday(named) + timedelta(days=7 + place.day.weekday())
            read[number] = _Reading(replace(place, day=day), how)
        elif how is _weekday and folded.endswith("following ", 0, place.start):
            day = named + timedelta(days=(place.day.weekday() - named.weekday() - 1) % 7 + 1)
            read[number] = _Reading(replace(place, day=day, back=None, settled=True), how)
    return read


def _beside(folded: str, one: _Reading, two: _Reading, bare: _Reading, link: re.Pattern[str]) -> _Reading:
    """The one of two neighbours that is a `bare` weekday, in the week of the other if they are linked."""
    other = two if bare is one else one
    linked = link.fullmatch(folded, one.place.end, two.place.start)
    if not linked or bare.how is not _weekday or bare.place.settled or other.how not in _NAME_A_WEEK:
        return bare
    day = _monday(other.place.day) + timedelta(days=bare.place.day.weekday())
    return _Reading(replace(bare.place, day=day, back=None, settled=True), other.how)


_ANOTHER = re.compile(r",? ?(?:or|o|u|and|y|,|/|&) ?(?:on |el |the )?")
_EITHER = re.compile(r" ?(?:or|o|u|and|y|/|&) ?(?:on |el |the )?")


def _windows(folded: str) -> dict[str, list[tuple[int, int]]]:
    """The surroundings of the words that give a day away, by what they point to."""
    found: dict[str, list[tuple[int, int]]] = {}
    for word in _GIVEAWAY.finditer(folded):
        needs = "digit" if word[0][0].isdigit() else _GIVEN_AWAY.get(word[0])
        if needs is None:
            continue
        begin, end = max(word.start() - _AROUND, 0), word.end() + _AROUND
        known = found.setdefault(needs, [])
        if known and begin <= known[-1][1]:
            known[-1] = (known[-1][0], end)
        else:
            known.append((begin, end))
    return found


def _hit(match: re.Match[str], folded: str, text: str, world: _World) -> _Hit:
    lead = _LEAD.search(folded, max(match.start() - 40, 0), match.start())
    telling = match.start("month" if "month" in match.re.groupindex else 0)
    letter = next((text[i] for i in range(telling, match.end()) if text[i].isalpha()), "")
    return _Hit(match=match, before=lead[0] if lead else "", capital=letter.isupper(), world=world)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _months_on(day: date, months: int) -> date:
    years, month = divmod(day.month - 1 + months, 12)
    for length in (day.day, 30, 29, 28):
        found = _date(day.year + years, month + 1, length)
        if found:
            return found
    raise AssertionError("every month has 28 days")


def _last_day(first: date) -> date:
    return _months_on(first, 1) - timedelta(days=1)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _step(words: str) -> int:
    """From this week, month or year to the one meant: 1 for `next`, 2 for `after next`, -1 for `last`."""
    if words.endswith("before last"):
        return -2
    return 2 if "after next" in words else 1 if _NEXT.search(words) else -1 if _LAST.search(words) else 0


def _yearly(world: _World, month: int, day: int, year: int | None = None) -> tuple[date | None, date | None]:
    """The next time this day comes, and the last time it was."""
    if year is not None:
        return _date(year, month, day), None
    years = (world.today.year - 1, world.today.year, world.today.year + 1)
    all_days = [found for each in years if (found := _date(each, month, day))]
    ahead = [found for found in all_days if found >= world.today]
    gone = [found for found in all_days if found < world.today]
    return min(ahead, default=None), max(gone, default=None)


def _near(world: _World, ahead: date | None, gone: date | None) -> tuple[date | None, date | None]:
    """Both days, or the coming one alone when it comes soon: nobody means the one of a year ago then."""
    if ahead and ahead - world.today < _SOON and gone and world.today - gone > _LATELY:
        return ahead, None
    return ahead, gone


def _dated(hit: _Hit, month: int, day: int, year: int | None) -> Mention | None:
    """The day of a month, in the year in which it falls on the weekday before it.

    If it does in none, a stop or comma between them tells of two days ("not Friday, April 14 is better"), else of a slip.
    """
    fitting = _on_its_weekday(hit, month, day, year)
    if fitting:
        return hit.place(fitting, settled=True)
    return hit.place(
        *_near(hit.world, *_yearly(hit.world, month, day, year)),
        settled=year is not None,
        apart=bool(_STOPS.search(hit["day_before"])),
    )


def _on_its_weekday(hit: _Hit, month: int, day: int, year: int | None) -> date | None:
    """This day of the year, else of last year, this one or the next, that falls on the weekday before it: one at most does."""
    if not hit["named"]:
        return None
    years = (year,) if year else [hit.world.today.year + step for step in (-1, 0, 1)]
    days = (_date(year, month, day) for year in years)
    return next((found for found in days if found and found.weekday() == _DATED_WEEKDAYS[hit["named"]]), None)


def _iso(hit: _Hit) -> Mention | None:
    return hit.place(_date(int(hit["year"]), int(hit["month"]), int(hit["day"])), settled=True)


def _numeric(hit: _Hit) -> Mention | None:
    """`3/4`: by the business's country, month first in the US and day first elsewhere; `Thursday 4/9` as it fits sooner."""
    one, two, year = int(hit["one"]), int(hit["two"]), hit.year
    if (one, two) in ((24, 7), (50, 50)) or (hit["mark"] != "/" and year is None) or (year is None and _share(hit)):
        return None
    month_first = two > 12 or (hit.world.country == "US" and one <= 12)
    month, day = (one, two) if month_first else (two, one)
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    turned = _on_its_weekday(hit, day, month, year) if day <= 12 else None
    straight = _on_its_weekday(hit, month, day, year)
    if turned and (straight is None or abs(turned - hit.world.today) < abs(straight - hit.world.today)):
        month, day = day, month
    return _dated(hit, month, day, year)


def _share(hit: _Hit) -> bool:
    """Whether it is a part of something, or a mark: `1/2 the price`, `1 1/2 hours`, `9/10 of the time`, `4/5 stars`."""
    if int(hit["one"]) >= int(hit["two"]) or int(hit["two"]) > 10:
        return False
    said, start, end = hit.match.string, hit.match.start("one"), hit.match.end()
    return bool(_OF_SOMETHING.match(said, end) or _MORE_OR_LESS.search(said, max(start - 40, 0), start))


# What follows a fraction or a mark, and what stands before one.
_OF_SOMETHING = re.compile(
    r' ?"| ?-? ?(?:(?:of|the|as|off|price|cost|hours?|hrs?|inch(?:es)?|cups?|pints?|miles?|pages?|full|empty|way|stars?'
    r"|points|days?|weeks?|months?|an? (?:day|week|month|year|hour|mile|cup|dozen)"
    r"|precio|partes|mes|semana|horas?|hs|kilos?|litros?|vacio|lleno|estrellas|puntos)\b"
    r"|de (?!la (?:tarde|noche|manana)\b)(?:l[ao]s? )?[a-z]{4}|del [a-z]|would(?:n't| not| never)? (?:not |never )?recommend"
    r"|no (?:lo |la |los |las )?recom)"
)
_MORE_OR_LESS = re.compile(
    r"(?:\b(?:about|nearly|almost|barely|over|under|than|casi|apenas|menos de|mas de)|"
    r"\b(?:giv(?:e|ing)|gave|rat(?:e|ed|ing)|scor(?:e|ed)|doy|daria|pongo|nota|puntuacion)(?: [a-z]+){0,4}:?|\d) $"
)


def _day_and_month(hit: _Hit) -> Mention | None:
    """`5 March`, `Friday, March 5th`, `the fifth of March`, `15 al 20 de marzo`: the first day of a span."""
    if hit["month"] == "set" and not hit.match[0].endswith("de set"):
        return None  # "4 set menus"
    day = int(hit["day"]) if hit["day"] else _SPELT_DAYS[hit["spelt"].replace(" ", "-")]
    return _dated(hit, _MONTHS[hit["month"]], day, hit.year)


def _weekday_in_month(hit: _Hit) -> Mention | None:
    """`the first Monday of February`, `el último viernes de enero`."""
    month, weekday = _MONTHS[hit["month"]], _WEEKDAYS[hit["weekday"]]
    falls = _weekday_of(month, weekday, _ORDINALS.get(hit["ordinal"], -1))
    if hit.year is not None:
        return hit.place(falls(hit.year, False, hit.world), settled=True)
    today = hit.world.today
    days = [falls(today.year + step, False, hit.world) for step in (-1, 0, 1)]
    ahead = min(day for day in days if day >= today)
    return hit.place(*_near(hit.world, ahead, max(day for day in days if day < today)))


# Where in a month a part of it begins.
_PARTS = (
    (r"mid|mediad", 15),
    (r"second half|segunda (?:quincena|mitad)", 16),
    (r"(?:second|2nd) week|segunda semana", 8),
    (r"(?:third|3rd) week|tercera semana", 15),
    (r"(?:fourth|4th) week|cuarta semana", 22),
    (r"last week|ultima semana", 24),
    (r"late|fin[ae]", 25),
)
_TO_ITS_END = re.compile(r"\bend of|\bfin de")


def _month(hit: _Hit) -> Mention | None:
    word, year, today = hit["month"], hit.year, hit.world.today
    if word in _SHY_MONTHS and not (hit.capital and (hit.before or hit["part"] or year)):
        return None
    month = _MONTHS[word]
    ahead, gone = _yearly(hit.world, month, 1, year)
    if year is None and today.month == month and not _NEXT.search(hit.before):
        ahead = gone = today.replace(day=1)
    if _AFTER.search(hit.before) and not hit["part"]:
        return hit.place(ahead and _months_on(ahead, 1), gone and _months_on(gone, 1))
    if _LAST.search(hit.before) and gone:
        return hit.place(gone, gone, settled=True)
    again = None
    if year is None and gone == today.replace(day=1):
        # It is running. Who wishes to hear from us in it speaks of the rest of it while that is long, later of next year's.
        again, gone = today.replace(day=15) if today.day <= _EARLY else _months_on(gone, 12), None
    ahead, gone = _near(hit.world, ahead, gone)
    if _TO_ITS_END.search(hit["part"]):
        return hit.place(ahead and _last_day(ahead), gone and _last_day(gone), settled=year is not None)
    day = next((day for pattern, day in _PARTS if re.search(pattern, hit["part"])), 1)
    place = hit.place(ahead and ahead.replace(day=day), gone and gone.replace(day=day), settled=year is not None)
    return replace(place, again=again) if place else None


def _of_week(hit: _Hit) -> Mention | None:
    """`Wednesday of next week`, `Wednesday in two weeks`, `el miércoles de la semana que viene`."""
    word = hit["weekday"] or hit["listed"]
    if word in _SHY_DAYS and not hit.capital:
        return None
    weeks = _number(hit["weeks"]) or _step(hit["week"])
    return hit.place(_monday(hit.world.today) + timedelta(days=7 * weeks + _WEEKDAYS[word]), settled=True)


def _in_week(hit: _Hit) -> Mention | None:
    """`next week Wednesday`, `la otra semana, martes o jueves`."""
    return _of_week(hit)


def _weekday(hit: _Hit) -> Mention | None:
    """The next such day after today; `next Thursday` is next week's, `el jueves que viene` the coming one."""
    word, around, today = hit["weekday"], f"{hit.before}{hit['after']}", hit.world.today
    if word in _SHY_DAYS and not (around or hit.capital):
        return None
    if hit["after"] == " after next":
        return None  # some count from this week, some from the next
    said, start, end = hit.match.string, hit.match.start(), hit.match.end()
    if hit.before.endswith("of a ") or _IN_A_ROW.search(said, max(start - 20, 0), min(end + 14, len(said))):
        return None  # "of a Sunday", "Mon-Fri": each of them
    if word == "sat" and (_TEST_BEFORE.search(hit.before) or _TEST_AFTER.match(said, end)):
        return None
    target = _WEEKDAYS[word]
    numbered = [day for day in _of_number(today, int(hit["day"])) if day.weekday() == target] if hit["day"] else []
    if numbered:
        return hit.place(
            min((day for day in numbered if day >= today), default=numbered[-1]),
            max((day for day in numbered if day < today), default=None),
        )
    if target == today.weekday() and _TODAY_IS.search(said, max(start - 16, 0), start):
        return hit.place(today, today)
    ahead = today + timedelta(days=(target - today.weekday() - 1) % 7 + 1)
    back = today - timedelta(days=(today.weekday() - target - 1) % 7 + 1)
    if _LAST.search(around):
        return hit.place(back, back, settled=True)
    if re.search(r"\b(?:this|este)\b", around):
        same = _monday(today) + timedelta(days=target)
        return hit.place(same if same >= today else ahead, back)
    if re.search(r"\bnext\b", around):
        return hit.place(_monday(today) + timedelta(days=7 + target), settled=True)
    if re.search(r"\bweeks?\b", around):
        return hit.place(ahead + timedelta(days=7 * max(_weeks_on(around), 1)), settled=True)
    return hit.place(ahead, back, settled=bool(_NEXT.search(around)))


_DAY_WORDS = {
    "day after tomorrow": 2,
    "pasado manana": 2,
    "tomorrow": 1,
    "tmrw": 1,
    "tomorow": 1,
    "manana": 1,
    "today": 0,
    "tonight": 0,
    "hoy": 0,
    "this morning": 0,
    "this afternoon": 0,
    "this arvo": 0,
    "this evening": 0,
    "esta tarde": 0,
    "esta noche": 0,
    "esta manana": 0,
    "yesterday": -1,
    "last night": -1,
    "ayer": -1,
    "anoche": -1,
    "day before yesterday": -2,
    "antes de ayer": -2,
    "anteayer": -2,
    "antier": -2,
}


def _day_word(hit: _Hit) -> Mention | None:
    """`tomorrow`, `yesterday`; of today much is over already, unless something starts with it."""
    day = hit.world.today + timedelta(days=_DAY_WORDS[hit["word"]] + 7 * _weeks_on(hit.before))
    if day == hit.world.today and hit["word"] not in ("tonight", "esta noche") and not _FROM.search(hit.before):
        return hit.place(day, day)
    return hit.place(day, settled=True)


def _weeks_on(before: str) -> int:
    """How many weeks later a day is than the words themselves say: `a week on Thursday`, `two weeks from today`."""
    return 2 if "two weeks" in before else 1 if "a week" in before else 0


def _amount(hit: _Hit) -> Mention | None:
    """`in about six weeks`, `dentro de un par de meses`, `three days ago`, `hace un mes`.

    Of `six to eight weeks` or `a month or two` the later is meant, of `a few` three, of `several` four, and a half counts:
    who comes back a little late is welcome, who comes back before the time that was asked for presses. Of `a year or two`
    it is the earlier: farther ahead nothing is planned, and the customer would be written to as if no time had been named.
    """
    numbers = [_number(hit[name]) for name in ("number", "more", "later") if hit[name]]
    unit = _UNITS[hit["unit"]]
    number = min(numbers) if unit < 0 else max(numbers)
    back = bool(hit["ago"] or hit["hace"])
    if not (back or hit["ahead"] or hit["on"]) or number > 400:
        return None
    day = _later(hit.world.today, -number if back else number, unit)
    if day and (hit["half"] or hit["half_more"]):
        day = _half_more(day, unit, -1 if back else 1)
    return hit.place(day, settled=True)


def _number(word: str) -> int:
    return int(word) if word.isdigit() else _NUMBERS.get(word, 0)


def _later(day: date, number: int, unit: int) -> date | None:
    if unit > 0:
        return day + timedelta(days=number * unit)
    return _months_on(day, number * (12 if unit else 1)) if abs(number) <= 60 else None


def _half_more(day: date, unit: int, way: int) -> date:
    return _months_on(day, 6 * way) if unit < 0 else day + timedelta(days=(unit + 1) // 2 * way if unit else 15 * way)


def _half_a_year(hit: _Hit) -> Mention | None:
    """`in half a year`, `dentro de medio año`, `half a year ago`."""
    return hit.place(_months_on(hit.world.today, -6 if hit["ago"] or hit["hace"] else 6), settled=True)


_PERIODS = (
    (r"weekend|finde|fin de semana", "weekend"),
    (r"week|wk|semana", "week"),
    (r"month|mes", "month"),
    (r"quarter|trimestre", "quarter"),
    (r"year|ano", "year"),
)


def _period(hit: _Hit) -> Mention | None:
    """`next week`, `la semana que viene`, `this month`, `last year`, `after next week`, `at the end of the month`."""
    words = hit["words"]
    unit = next(name for names, name in _PERIODS if re.search(names, words))
    step = _step(words)
    first, following = _span(unit, step, hit.world)
    if _AFTER.search(hit.before):
        return hit.place(following, settled=True)
    if hit["part"]:
        day = first + _share_of(hit["part"], following - first)
        return hit.place(day, day if day <= hit.world.today else None, settled=step != 0)
    if hit["end"]:
        return hit.place(following - timedelta(days=1), settled=True)
    if step == 0 and unit == "weekend":
        return hit.place(first, first - timedelta(days=7))
    if step == 0:
        return hit.place(hit.world.today, hit.world.today)
    return hit.place(first, settled=True)


def _span(unit: str, step: int, world: _World) -> tuple[date, date]:
    """The first day of the period `step` periods from now, and of the one that follows it."""
    today = world.today
    if unit in ("week", "weekend"):
        monday = _monday(today) + timedelta(days=7 * step)
        return (monday + timedelta(days=5) if unit == "weekend" else monday), monday + timedelta(days=7)
    months = {"month": 1, "quarter": 3, "year": 12}[unit]
    first = today.replace(day=1, month=today.month - (today.month - 1) % months)
    return _months_on(first, months * step), _months_on(first, months * (step + 1))


def _share_of(part: str, span: timedelta) -> timedelta:
    """How much of a time is over when its middle or its late part begins: late in a week is Friday, in a month its 25th."""
    late = span * 4 // 5 if _A_WEEK < span <= _A_MONTH else span * 2 // 3
    return span // 2 if "mi" in part or "medi" in part else late if "late" in part or "fin" in part else timedelta(0)


def _half_year(hit: _Hit) -> Mention | None:
    """`H2`, `the second half of next year`, `el segundo semestre`: who is in it and wishes to hear from us means the next."""
    number = int(hit["number"]) if hit["number"] else _ORDINALS[hit["ordinal"].replace("segunda", "segundo")]
    return _part_of_year(hit, 6 * number - 5, 6)


def _part_of_year(hit: _Hit, month: int, months: int) -> Mention | None:
    """A part of a year that begins with this month: the next one, or the one that is running."""
    ahead, gone = _yearly(hit.world, month, 1, hit.year)
    if hit.year is None and gone and _months_on(gone, months) > hit.world.today:
        place = hit.place(gone, gone)
        return replace(place, again=ahead) if place else None
    return hit.place(ahead, gone)


def _named_year(hit: _Hit) -> Mention | None:
    """`early 2027`, `mid-2027`, `a finales de 2027`."""
    first = date(int(hit["year"]), 1, 1)
    return hit.place(first + _share_of(hit["part"], timedelta(days=365)), settled=True)


def _nth(hit: _Hit) -> Mention | None:
    """`the 14th`, `el 14`, `the week of the 14th`: the next day of that number, or the last one when looking back."""
    days = _of_number(hit.world.today, int(hit["day"]))
    ahead = min((day for day in days if day >= hit.world.today), default=None)
    return hit.place(ahead, max((day for day in days if day < hit.world.today), default=None))


def _of_number(today: date, number: int) -> list[date]:
    """The days of this number in the months around today."""
    months = [_months_on(today.replace(day=1), step) for step in (-2, -1, 0, 1, 2)]
    return [day for month in months if (day := _date(month.year, month.month, number))]


def _long_ago(hit: _Hit) -> Mention | None:
    """`since 2019`, `en 2023`: years that are over; of a coming one nobody knows the day."""
    year = int(hit["year"])
    return hit.place(date(year, 1, 1), settled=True) if year < hit.world.today.year else None


def _quarter(hit: _Hit) -> Mention | None:
    """`Q2`, `el segundo trimestre del año que viene`."""
    number = int(hit["number"]) if hit["number"] else _ORDINALS[hit["ordinal"]]
    return _part_of_year(hit, 3 * number - 2, 3)


def _feast(hit: _Hit) -> Mention | None:
    """`after Easter`, `in the summer`, `despues de Reyes`, `when the kids are back at school`."""
    company = _IN_COMPANY.get(hit["name"])
    if company and not (company.search(hit["part"] or hit.before) or hit.year):
        return None
    after = bool(_AFTER.search(hit.before) or (hit["part"] and _TO_ITS_END.search(hit["part"])))
    days = next(days for pattern, days in _FEASTS if re.fullmatch(pattern, hit["name"]))
    if hit["weekend"] and not _SEASONS.search(hit["name"]):
        days = _saturday_near(days)
    today, year = hit.world.today, hit.year
    if year is not None:
        return hit.place(_part_of_season(hit["part"], days(year, after, hit.world)), settled=True)
    every = [_part_of_season(hit["part"], days(year, after, hit.world)) for year in range(today.year - 1, today.year + 4)]
    gone, ahead = max(day for day in every if day < today), [day for day in every if day >= today]
    if hit["last"] or hit.before.endswith("last "):
        return hit.place(gone, gone, settled=True)
    if hit["after"] or _RIGHT_BEFORE.search(hit.before):
        return hit.place(ahead[_after_this(hit, ahead[0])], settled=True)
    return hit.place(ahead[0], gone)


def _saturday_near(days: FeastDay) -> FeastDay:
    """Of the weekend of a feast: the Saturday nearest to it; after it, the day after the feast or that Saturday."""

    def on(year: int, after: bool, world: _World) -> date:
        feast = days(year, False, world)
        saturday = feast + timedelta(days=(_SATURDAY - feast.weekday() + 3) % 7 - 3)
        return max(saturday, feast) + timedelta(days=1) if after else saturday

    return on


def _part_of_season(part: str, first: date) -> date:
    """Where the middle or the late part of a season begins; of its end the day after it is meant."""
    return _months_on(first, 2 if part.startswith("late") else 1 if part.startswith("mid") or "mediados" in part else 0)


def _after_this(hit: _Hit, coming: date) -> bool:
    """Whether `next summer` is the one after the coming one, as when that is called `this summer`.

    In English that needs no saying when the coming one is near and of this year; `el próximo verano` is always the coming one.
    """
    if re.search(rf"\b(?:this|est[ea]) {re.escape(hit['name'])}\b", hit.match.string):
        return True
    near = coming.year == hit.world.today.year and coming - hit.world.today < _LATELY
    return near and hit.before.endswith("next ")


def _easter(year: int) -> date:
    """Easter Sunday of the western churches (the anonymous Gregorian computus)."""
    century, golden = year // 100, year % 19
    moon = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    week = (32 + 2 * (century % 4) + 2 * (year % 100 // 4) - moon - year % 100 % 4) % 7
    shift = (golden + 11 * moon + 22 * week) // 451
    month, day = divmod(moon + week - 7 * shift + 114, 31)
    return date(year, month, day + 1)


FeastDay = Callable[[int, bool, _World], date]  # year, "after it", where -> the day meant


def _easter_day(year: int, after: bool, world: _World) -> date:
    return _easter(year) + timedelta(days=1 if after else 0)


def _fixed(day: tuple[int, int], after: tuple[int, int]) -> FeastDay:
    return lambda year, is_after, world: date(year, *(after if is_after else day))


def _season(north: int, south: int) -> FeastDay:
    """By whole months; the first month depends on the hemisphere of the business."""

    def begin(year: int, after: bool, world: _World) -> date:
        start = date(year, south if world.south else north, 1)
        return _months_on(start, 3) if after else start

    return begin


def _weekday_of(month: int, weekday: int, number: int) -> FeastDay:
    """The first, second ... of a weekday (Monday is 0) in a month; the last one for -1."""

    def on(year: int, after: bool, world: _World) -> date:
        first = date(year, month, 1)
        days = [first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * week) for week in range(5)]
        return [day for day in days if day.month == month][number if number < 0 else number - 1] + timedelta(days=after)

    return on


def _thanksgiving(year: int, after: bool, world: _World) -> date:
    """The fourth Thursday of November, in Canada the second Monday of October."""
    return (_weekday_of(10, 0, 2) if world.country == "CA" else _weekday_of(11, 3, 4))(year, after, world)


def _fathers_day(year: int, after: bool, world: _World) -> date:
    """By country: on 19 March, on the first Sunday of September, or on the third of June."""
    if world.country == "ES":
        return date(year, 3, 20 if after else 19)
    return (_weekday_of(9, 6, 1) if world.country in ("AU", "NZ") else _weekday_of(6, 6, 3))(year, after, world)


def _mothers_day(year: int, after: bool, world: _World) -> date:
    """By country: in Lent, on a Sunday of May or October, or always on 10 May."""
    if world.country in ("GB", "IE"):
        day = _easter(year) - timedelta(days=21)
    elif world.country == "MX":
        day = date(year, 5, 10)
    else:
        month, sunday = (10, 3) if world.country == "AR" else (5, 1) if world.country == "ES" else (5, 2)
        day = date(year, month, 1) + timedelta(days=6 - date(year, month, 1).weekday() + 7 * (sunday - 1))
    return day + timedelta(days=1 if after else 0)


def _holidays(year: int, after: bool, world: _World) -> date:
    return date(year, 1, 7 if world.country in _KINGS_DAY_ENDS_IT else 2) if after else date(year, 12, 24)


def _school(year: int, after: bool, world: _World) -> date:
    """After the long holidays; while the short ones of Christmas are near, after these."""
    if not world.south and (world.today.month == 12 or (world.today.month, world.today.day) < (1, 8)):
        return date(year, 1, 8)
    return date(year, 3 if world.south else 9, 1)


_FEASTS: tuple[tuple[str, FeastDay], ...] = (
    (r"easter|pascua|semana santa", _easter_day),
    (r"valentine's(?: day)?|san valentin", _fixed((2, 14), (2, 15))),
    (r"mother's day|dia de la madre", _mothers_day),
    (r"christmas|xmas|navidad(?:es)?", _fixed((12, 25), (12, 26))),
    (r"new year's eve|nochevieja|fin de ano", _fixed((12, 31), (1, 1))),
    (r"new year(?:'s)?(?: day)?|ano nuevo", _fixed((1, 1), (1, 2))),
    (r"reyes", _fixed((1, 6), (1, 7))),
    (r"thanksgiving", _thanksgiving),
    (r"memorial day", _weekday_of(5, 0, -1)),
    (r"labou?r day", _weekday_of(9, 0, 1)),
    (r"father's day|dia del padre", _fathers_day),
    (r"boxing day", _fixed((12, 26), (12, 27))),
    (r"halloween", _fixed((10, 31), (11, 1))),
    (r"holidays|fiestas", _holidays),
    (r"summer.*|verano|vacaciones de verano", _season(6, 12)),
    (r"autumn|fall|otono", _season(9, 3)),
    (r"winter|invierno", _season(12, 6)),
    (r"spring|primavera", _season(3, 9)),
    (r".*(?:school|cole|clases).*", _school),
)

# A surname and a verb, unless such a word stands before them.
_IN_COMPANY = {
    "reyes": re.compile(r"\b(?:de|en|para|hasta|desde|tras|por|pasados?) $"),
    "fall": re.compile(r"\b(?:the|next|this|last|in|early|late|mid|of)[ -]$"),
}

_AFTER = re.compile(r"\b(?:after|despues|tras|pasad[oa]s?|once)\b")
_NEXT = re.compile(r"\b(?:next|coming|following|proxim[oa]|que viene|que entra|entrante|siguiente|otr[oa])\b|\bweek after$")
_WEEK_AFTER = ("week after", "following week", "semana siguiente")
_RIGHT_BEFORE = re.compile(r"\b(?:next|coming|following|proxim[oa]s?) $")
_LAST = re.compile(r"\b(?:last|pasad[oa])\b")
_FROM = re.compile(r"\b(?:from|desde|partir)\b")
_LEAD = re.compile(
    r"(?<![a-z])(?:(?:not before|in|on|from|until|till|til|by|after|before|since|for|of|during|at|next|last|this|around|once|"
    r"the|coming|a week|two weeks|en|el|la|los|las|a|al|para|hasta|desde|despues|antes|de|del|partir|pasad[oa]s?|tras|est[ea]"
    r"|proxim[oa]|por|"
    r"hacia|sobre) )+$"
)


def _any(words: Mapping[str, int]) -> str:
    return "|".join(sorted(words, key=lambda word: (-len(word), word)))


_STOPS = re.compile(r"[.,]")
_IN_A_ROW = re.compile(rf"(?<!from )(?<!from)\b(?:{_any(_WEEKDAYS)}) ?[-–] ?(?:{_any(_WEEKDAYS)})\b(?! next)")
_TODAY_IS = re.compile(r"\b(?:ya es|hoy es|today is|today's|it's now|it is now|now it's|now it is|it's already) $")
# The college test, and Mexico's tax office.
_TEST_BEFORE = re.compile(r"\b(?:el|del|al|ante el) $")
_TEST_AFTER = re.compile(r" (?:prep|camp|tutor|test|exam|score|math|course|words?)")
_DOT = r"(?:\.(?= [^.!?\n]{0,7}\d))?"  # of "31 Jan. 2027" and "31 Jan. at 5", not one that ends a sentence
_NAMED = rf"(?P<day_before>\b(?P<named>{_any(_DATED_WEEKDAYS)})\b(?:\.?,| the| el| dia|\.| \()? ?)?"
_DAY = r"(?P<day>0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th|º|er|ro)?"
_TO_DAY = r"(?: ?(?:-|–|to|and|&|or|y|al?|o|until) ?(?:el |the )?(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?(?!\d))?"
_MONTH = rf"(?P<month>{_any(_MONTHS)})"
_MAY_NOT = r"(?!(?<=may) (?:be|have|not|also|well|still|therefore|need|work|suit|do|mean|now|just|come|i|we|you)\b)"
_YEAR_SAID = (
    r" (?:de |del |of |el |de el )?(?P<year_said>(?:next|this|last) year|ano (?:que viene|que entra|proximo|pasado)"
    r"|(?:proximo|este|pasado) ano)\b"
)
_YEAR = rf"(?:,? (?:de |del |of )?(?P<year>20\d\d)\b|{_YEAR_SAID})?"
_CLOCK = (
    r"(?:,? *(?:(?:at|a las?|@|sobre las?|around) ?)\d{1,2}(?:[:.]\d\d)?(?: ?(?:am|pm|hs?|hrs)\b)?(?!\d)"
    r"|,? *\d{1,2}(?:[:.]\d\d)? ?(?:am|pm|hs?|hrs)\b)?"
)
_UNIT = _any(_UNITS)
_THE_WEEK_AFTER = (
    r"week after(?= ?(?:$|[.,;:?!)\n/-]|(?:that|would|will|should|might|may|could|can|is|works?|suits?|instead|if|or|and|at"
    r"|please|maybe|perhaps|then|when|because|as|free|ok(?:ay)?|good|fine|better|possible|too|also)\b))"
)
_WEEK = (
    rf"(?:the |la )?(?P<week>week after next|{_THE_WEEK_AFTER}"
    r"|(?:next|this|last|following|coming) week"
    r"|(?:proxima|otra|siguiente|pasada|esta) semana|semana (?:que viene|que entra|proxima|entrante|siguiente|pasada)"
    r"|(?:in|dentro de|en) (?P<weeks>[2-4]|two|three|four|dos|tres|cuatro) (?:weeks|semanas))\b"
)
_ALONE = r"(?= ?(?:$|[.,;:?!)\n/]|(?:or|o|and|y|at|a las?|around|sobre|before|after|if|si|please|por favor)\b))"
_NOT_A_DAY = (
    r"(?![:.,/]\d| ?(?:am|pm|%|€|\$|euros|people|of us|persons|personas|pax|hs?|horas|hours|dias|days|weeks|semanas"
    r"|years|anos|"
    r"months|meses|minutes|mins?|minutos|o'clock|de los|pesos|dollars|quid|pounds|miles|km|kilos|units|st\b|street|road)\b)"
)
_HALF = r"and a half|y medi[oa]"
_MANY = rf"\d{{1,3}}|{_any(_NUMBERS)}"
_COUNT = (
    rf"(?:an? |un )?(?P<number>{_MANY})(?:(?: ?[-–] ?(?=\d)| (?:to|or|a|o|u) )(?P<more>{_MANY}))?(?P<half> (?:{_HALF}))?"
    rf"(?: (?:or so|or two|of|de|more|mas|good))* ?(?P<unit>{_UNIT})\b"
)
_PART = (
    r"(?P<part>(?:in )?(?:early|late|mid)[ -](?:in )?|(?:the )?(?:start|beginning|middle) of "
    r"|(?:principios|inicios|mediados|finales|fines) del? (?:la )?)?"
)
_MONTHS_PART = (
    r"(?P<part>(?:mid|early|late|(?:the )?(?:end|start|beginning|middle) of"
    r"|(?:the )?(?:first|second|third|fourth|1st|2nd|3rd|4th|last) week of|(?:the )?(?:first|second) half of"
    r"|(?:primera|segunda|tercera|cuarta|ultima) semana de|(?:primera|segunda) (?:quincena|mitad) de"
    r"|mediados de|finales de|fines de|fin de|principios de|comienzos de|inicios de)[ -])?"
)
_SEASONS_PART = (
    r"(?P<part>(?:early|late|mid)[ -]|(?:(?:the )?(?:end|middle|start) of|(?:principios|inicios|mediados|finales|fines|fin) de)"
    r"(?:l| la| las| the| next| this)? )?"
)
_BOOKED = r"(?:lesson|class|appointment|appt|session|visit|booking|delivery|cleaning|training|game|practice|slot)\b"
_ROUGHLY = r"(?:about|around|like|roughly|maybe|another|unas|unos|otras|otros|como|casi|approximately|say|just|the next)"

_ROWS: tuple[tuple[str, re.Pattern[str], Callable[[_Hit], Mention | None]], ...] = tuple(
    (needs, re.compile(pattern), resolve)
    for needs, pattern, resolve in (
        ("digit", r"\b(?P<year>20\d\d)-(?P<month>\d\d)-(?P<day>\d\d)\b", _iso),
        ("month", rf"{_NAMED}\b{_DAY}{_TO_DAY}(?: of| de)? {_MONTH}\b{_MAY_NOT}{_DOT}{_YEAR}{_CLOCK}", _day_and_month),
        (
            "month",
            rf"{_NAMED}\b(?P<spelt>{_any(_SPELT_DAYS).replace('-', '[ -]')}) (?:of|de) {_MONTH}\b{_YEAR}{_CLOCK}",
            _day_and_month,
        ),
        (
            "month",
            rf"\b(?P<ordinal>{_any(_ORDINALS)}|last|ultimo) (?P<weekday>{_any(_WEEKDAYS)}) (?:of|in|de) {_MONTH}\b"
            rf"{_YEAR}{_CLOCK}",
            _weekday_in_month,
        ),
        ("month", rf"{_NAMED}\b{_MONTH}\.? (?:the )?{_DAY}(?!\d|[:.]\d| ?[ap]m\b){_TO_DAY}{_YEAR}{_CLOCK}", _day_and_month),
        (
            "digit",
            _NAMED + r"(?<![\d/.,$€£-])\b(?P<one>\d{1,2})(?P<mark>[/.-])(?P<two>\d{1,2})(?:(?P=mark)(?P<year>20\d\d|\d\d))?\b"
            r"(?![/%]|[.,-]\d)",
            _numeric,
        ),
        (
            "feast",
            rf"\b{_SEASONS_PART}(?P<name>easter|pascua|semana santa|valentine's(?: day)?|san valentin|mother's day"
            r"|dia de la madre"
            r"|christmas|xmas|navidad(?:es)?|new year's eve|(?<!happy )new year(?:'s)?(?: day)?"
            r"|nochevieja|"
            r"fin de ano|(?<!feliz )ano nuevo|reyes|thanksgiving|memorial day|labou?r day|father's day|dia del padre"
            r"|boxing day|halloween|"
            r"(?<=the )holidays|(?<=las )fiestas|"
            r"summer(?: holidays| break| vacation)?|vacaciones de verano|verano|autumn|fall|otono|winter|invierno|spring|"
            r"primavera|(?:kids|children) (?:are|go) back (?:at|in|to) school|back to school|school starts(?: again)?|"
            r"empiecen las clases|(?:vuelta|vuelvan|vuelvan los ninos) al cole(?:gio)?|empiece el cole)\b"
            r"(?! (?:clean|onion|camp|course|school|roll|lights|decorations|party|card))(?P<weekend> weekend\b)?"
            rf"(?P<after> (?:que viene|que entra|proxim[oa]|siguiente)\b)?(?P<last> pasad[oa]\b)?{_YEAR}",
            _feast,
        ),
        (
            "weekday",
            rf"\b(?P<weekday>{_any(_WEEKDAYS)})\b(?: (?:morning|afternoon|evening|night))?(?: of|,? de| in)? {_WEEK}{_CLOCK}",
            _of_week,
        ),
        (
            "weekday",
            rf"\b{_WEEK}(?:'s)?(?:,? (?:on|either|say|maybe|ideally|el|ya sea el|quiza el))*"
            rf"(?: (?P<weekday>{_any(_WEEKDAYS)})|, (?P<listed>{_any(_WEEKDAYS)}){_ALONE})\b{_CLOCK}",
            _in_week,
        ),
        ("feast", rf"\b[qt](?P<number>[1-4])\b{_YEAR}", _quarter),
        ("feast", rf"(?:(?<=in )|(?<=for )|(?<=until )|(?<=of )|(?<=next )|(?<=by ))h(?P<number>[12])\b{_YEAR}", _half_year),
        ("unit", rf"\b(?P<ordinal>first|second) half(?: of the year\b|(?= of (?:next|this|last|20))){_YEAR}", _half_year),
        ("unit", rf"(?:(?<=en el )|(?<=para el )|(?<=hasta el ))(?P<ordinal>primer|segundo) semestre\b{_YEAR}", _half_year),
        (
            "unit",
            rf"\b(?P<ordinal>primera|segunda) mitad(?: del ano\b(?! (?:que|prox|pas))|(?= del? (?:ano|prox|este|20))){_YEAR}",
            _half_year,
        ),
        ("unit", rf"\b(?P<ordinal>{_any(_ORDINALS)}) (?:quarter|trimestre)\b{_YEAR}", _quarter),
        (
            "unit",
            r"\b(?:(?P<ahead>in|within|dentro de|en|de aqui a|de aca a|after|pasad[oa]s)|(?P<hace>hace)) "
            rf"(?:{_ROUGHLY} )*{_COUNT}"
            rf"(?: (?:or|o) (?P<later>two|dos)\b)?(?P<half_more> (?:{_HALF})\b)?(?P<ago> ago)?",
            _amount,
        ),
        ("unit", rf"\b{_COUNT}(?:(?P<ago> ago)|(?P<on> from now| down the (?:line|road|track)))\b", _amount),
        (
            "unit",
            rf"\b(?:(?P<ahead>in|dentro de|en|de aqui a)|(?P<hace>hace)) (?:{_ROUGHLY} )?(?:half an? year|medio ano)\b"
            r"(?P<ago> ago)?",
            _half_a_year,
        ),
        ("unit", r"\bhalf a year(?:(?P<ago> ago)| from now)\b", _half_a_year),
        (
            "unit",
            r"\b(?P<ahead>in) a (?P<unit>fortnight)(?P<number>)\b",
            lambda hit: hit.place(hit.world.today + timedelta(days=14)),
        ),
        ("month", rf"\b{_MONTHS_PART}{_MONTH}{_YEAR_SAID}", _month),
        (
            "unit",
            rf"\b{_PART}(?P<end>(?:the )?end of (?:the )?|(?:a )?fin(?:es|ales)? de(?:l)? )?(?P<words>"
            rf"(?:weekend|week|month) before last|(?:next|this|last|following|coming) (?:weekend|week|wk|month|quarter|year)"
            rf"|week after next|{_THE_WEEK_AFTER}"
            r"|(?<=the )weekend|"
            r"(?<=end of )(?:week|month|quarter|year)|(?<=end of the )(?:week|month|quarter|year)|"
            r"(?:semana|mes|ano|trimestre|fin de semana|finde) (?:que viene|que entra|proxim[oa]|entrante|siguiente|pasad[oa])|"
            r"(?:proxim[oa]|pasad[oa]|otr[oa]|est[ea]) (?:semana|mes|ano|trimestre|fin de semana|finde|weekend)|"
            r"(?<=fin de )(?:mes|ano|semana)|(?<=fines de )(?:mes|ano)|(?<=finales de )(?:mes|ano)|(?<=el )(?:finde"
            r"|fin de semana))\b",
            _period,
        ),
        (
            "day",
            r"\b(?P<word>day after tomorrow|day before yesterday|pasado manana|antes de ayer|"
            r"(?<!por la )(?<!de la )(?<!en la )(?<!a la )(?<!una )(?<!la )(?<!esta )(?<!cada )manana|tomorrow|tmrw"
            r"|tomorow|today|"
            r"tonight|hoy|this morning|this afternoon|this arvo|this evening|esta tarde|esta noche|esta manana|yesterday"
            r"|last night|ayer|anoche|"
            rf"antier|anteayer)\b{_CLOCK}",
            _day_word,
        ),
        (
            "weekday",
            rf"\b(?P<weekday>{_any(_WEEKDAYS)})(?:s(?= {_BOOKED}))?\b(?P<after> week\b| after next\b"
            r"| (?:que viene|que entra|proximo|pasado|siguiente)\b"
            r"| (?:morning|afternoon|evening|night)\b)?"
            rf"(?:(?: |,? the | dia )(?P<day>0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?(?!\d){_NOT_A_DAY})?{_CLOCK}",
            _weekday,
        ),
        (
            "month",
            rf"\b{_MONTHS_PART}{_MONTH}\b(?! \d\d?(?!\d)){_YEAR}",
            _month,
        ),
        (
            "digit",
            r"\b(?P<part>(?:early|mid|late)(?: in)?|(?:principios|mediados|finales) de)[ -](?P<year>20\d\d)\b",
            _named_year,
        ),
        (
            "digit",
            r"(?:(?<=\bin )|(?<=\bsince )|(?<=\ben )|(?<=\bdesde ))(?P<year>(?:19[5-9]|20[0-4])\d)\b(?! ?[€$%])",
            _long_ago,
        ),
        (
            "digit",
            r"\b(?:(?<=the )|(?<=el )|(?<=del )|(?<=al )|(?<=dia )|(?<=the day ))"
            rf"(?:dia )?{_DAY}\b{_NOT_A_DAY}{_CLOCK}",
            _nth,
        ),
        ("digit", rf"\b(?:on|by|from|until|till) {_DAY}(?<=[a-z])\b{_NOT_A_DAY}{_CLOCK}", _nth),
    )
)

_NAME_A_MONTH = (_month, _day_and_month, _weekday_in_month)
_NAME_A_WEEK = (_of_week, _in_week)
_LONGER_THAN_A_DAY = (_month, _period, _quarter, _half_year, _named_year, _long_ago)
_SEASONS = re.compile(r"summer|verano|autumn|fall|otono|winter|invierno|spring|primavera|holidays|fiestas")


def _is_rough(how: Callable[[_Hit], Mention | None], match: re.Match[str]) -> bool:
    """Whether a week, a month or a season is named, and no day."""
    return how in _LONGER_THAN_A_DAY or (how is _feast and bool(_SEASONS.search(match["name"])))


_GIVEAWAY = re.compile(r"[qt][1-4]\b|h[12]\b|[a-z]+|\d+")
_GIVEN_AWAY = (
    dict.fromkeys(_MONTHS, "month")
    | dict.fromkeys(_WEEKDAYS, "weekday")
    | {f"{name}s": "weekday" for name in _WEEKDAYS if name.endswith("day")}
    | dict.fromkeys([*_UNITS, *"weekend wk finde quarter trimestre half semestre".split()], "unit")
    | dict.fromkeys(
        "today tonight tomorrow tmrw tomorow hoy manana ayer anoche antier anteayer yesterday morning afternoon arvo evening"
        " night tarde noche".split(),
        "day",
    )
    | dict.fromkeys(
        "easter pascua santa valentine valentin mother madre christmas xmas navidad navidades nochevieja reyes thanksgiving"
        " memorial labor labour father padre boxing"
        " halloween holidays fiestas summer verano"
        " autumn fall otono winter invierno spring primavera school cole colegio clases new nuevo"
        " h1 h2 q1 q2 q3 q4 t1 t2 t3 t4".split(),
        "feast",
    )
)
