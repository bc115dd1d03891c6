"""Customers who cancel, and what they do afterwards: drawn from a seed, so that the same seed lives the same years."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from random import Random

from pipeline.core.records import Intent, Reason, Scores

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Saying:
    """A sentence and how it is meant. `basis`: its words show that something had been booked or bought."""

    words: str
    language: str
    reason: Reason | None = None
    finer: str = ""
    sensitive: str = ""
    opts_out: bool = False
    firm: bool = False
    basis: bool = True
    moves: bool = False

    @property
    def excluded(self) -> str:
        """Why nobody may follow it up; "" when one may."""
        return self.sensitive or (self.finer if self.finer in NOTHING_TO_WIN else "") or ("an opt-out" if self.opts_out else "")


NOTHING_TO_WIN = frozenset({"need_ended", "moved", "wrong_person"})
PRICE, SERVICE, TIMING, NOT_READY, OTHER, BLANK = (
    Reason.PRICE,
    Reason.SERVICE,
    Reason.TIMING,
    Reason.NOT_READY,
    Reason.OTHER,
    Reason.UNSPECIFIED,
)


def _both(english: str, spanish: str, reason: Reason | None = None, **more: object) -> tuple[Saying, Saying]:
    one = Saying(words=english, language="en", reason=reason, **more)
    return one, replace(one, words=spanish, language="es")


PLAIN: tuple[Saying, ...] = (
    *_both("Please cancel my membership, the new fee is too much.", "Quiero anular mi bono, la nueva cuota es alta.", PRICE),
    *_both(
        "Cancel my lessons, I found them for less.", "Cancelo mis clases, las encontré por menos.", PRICE, finer="competitor"
    ),
    *_both("I must cancel my visit, work gets in the way.", "Cancelo mi cita, me surgió trabajo.", TIMING, finer="work"),
    *_both("Please cancel my plan, last time I waited an hour.", "Anulo mi plan, la última vez esperé una hora.", SERVICE),
    *_both("I would rather cancel my course for the moment.", "Prefiero anular mi plan por el momento.", NOT_READY),
    *_both("Please cancel my subscription.", "Quiero anular mi suscripción.", BLANK),
    *_both("Cancel my class, I thought better of it.", "Anulo mi clase, lo he pensado mejor.", OTHER, finer="changed_mind"),
    *_both(
        "Cancel my sessions, the sum is beyond me and that is that.", "Anulo mis sesiones, es mucho y punto.", PRICE, firm=True
    ),
)
NO_BASIS: tuple[Saying, ...] = (
    *_both(
        "Please cancel, your quote is above what I had in mind.", "Mejor lo dejamos, su propuesta es cara.", PRICE, basis=False
    ),
    *_both("Please cancel the free trial.", "Quiero dejar la prueba gratuita.", BLANK, basis=False),
    *_both(
        "Cancel the estimate, I still compare.",
        "Dejemos la propuesta, aún comparo.",
        NOT_READY,
        finer="still_comparing",
        basis=False,
    ),
)
ENDED: tuple[Saying, ...] = (
    *_both("Cancel my plan, we have moved to the coast.", "Anulo mi plan, nos mudamos a la costa.", OTHER, finer="moved"),
    *_both("Cancel my visits, it is all healed.", "Anulo mis citas, ya está curado.", OTHER, finer="need_ended"),
    *_both("Cancel it, I never was your customer.", "Anúlenlo, nunca fui cliente.", OTHER, finer="wrong_person", basis=False),
)
TROUBLE: tuple[Saying, ...] = (
    *_both(
        "Cancel my visit, my mother died.",
        "Anulo mi cita, murió mi madre.",
        TIMING,
        finer="bereavement",
        sensitive="bereavement",
    ),
    *_both("Cancel my plan, I lost my job.", "Anulo mi plan, perdí mi trabajo.", PRICE, finer="hardship", sensitive="hardship"),
    *_both("Cancel my order or my lawyer will call.", "Anulen mi pedido o llamará mi abogado.", SERVICE, sensitive="legal"),
)
LEAVING: tuple[Saying, ...] = (
    *_both("Cancel my plan and never write again.", "Anulo mi plan y no me escriban más.", PRICE, opts_out=True),
)
MOVING: tuple[Saying, ...] = (*_both("Could my visit be on another day?", "¿Puede ser mi cita otro día?", moves=True),)
CHAT: tuple[Saying, ...] = (*_both("Thanks, I will think about it.", "Gracias, lo pensaré."),)
NO_MORE: tuple[Saying, ...] = (
    *_both("stop", "baja", opts_out=True),
    *_both("Kindly write to me no more.", "Les ruego que no me escriban.", opts_out=True),
)
TOLD_WHY: tuple[Saying, ...] = (
    *_both("Well, it was the sum, honestly.", "Pues fue el importe, la verdad.", PRICE, basis=False),
    *_both("The hours did not fit any longer.", "El horario ya no me encajaba.", TIMING, basis=False),
)
AWAY: tuple[Saying, ...] = (*_both("I am away and back next week.", "Estoy fuera hasta la semana próxima."),)
HUMAN: tuple[Saying, ...] = (*_both("I have just tried to ring you.", "Acabo de llamarle por teléfono."),)

SAYINGS: tuple[Saying, ...] = (
    *PLAIN, *NO_BASIS, *ENDED, *TROUBLE, *LEAVING, *MOVING, *CHAT, *NO_MORE, *TOLD_WHY, *AWAY, *HUMAN,
)  # fmt: skip
MONTHS = {
    "en": "January February March April May June July August September October November December".split(),
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split(),
}
BACK = {"en": "I will be back in {}.", "es": "Vuelvo en {}."}

# What somebody does after our mails, and how often of a hundred.
FATES = {
    "silent": 30, "replies": 11, "books": 8, "stops": 8, "by_mail": 6, "by_page": 6, "bounces": 4, "complains": 3, "human": 6,
    "again": 8, "tells_why": 6, "away": 4,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Customer:
    """Somebody who will cancel. `fate` is what they do after our mail number `after`, `delay` later.

    `vouched`: a server we trust says that their mail is theirs. `back`: the first of the month for which they announce
    themselves.
    """

    name: str
    address: str
    saying: Saying
    begins: datetime
    fate: str
    after: int
    delay: timedelta
    vouched: bool = True
    back: date | None = None

    @property
    def words(self) -> str:
        """What the cancellation says."""
        if self.back is None:
            return self.saying.words
        month = MONTHS[self.saying.language][self.back.month - 1]
        return f"{self.saying.words} {BACK[self.saying.language].format(month)}"


_NAMES = {
    "en": "Ann Ben Carol Dan Emma Frank Grace Henry".split(),
    "es": "Ana Bruno Carmen Diego Elena Felipe Gloria Hugo".split(),
}
_KINDS = ((PLAIN, 62), (NO_BASIS, 9), (ENDED, 8), (TROUBLE, 8), (LEAVING, 4), (MOVING, 9))


def customers(chance: Random, count: int, first: datetime, days: int, spanish: float) -> list[Customer]:
    """So many customers who cancel within the first two thirds of the days."""
    return [_customer(chance, number, first, days, spanish) for number in range(count)]


def _customer(chance: Random, number: int, first: datetime, days: int, spanish: float) -> Customer:
    language = "es" if chance.random() < spanish else "en"
    kind = chance.choices([kind for kind, _ in _KINDS], [weight for _, weight in _KINDS])[0]
    saying = pick(chance, kind, language)
    begins = first + DAY + chance.randrange(int(days * 24 * 60 * 0.66)) * MINUTE
    announced = saying.reason in (TIMING, NOT_READY, PRICE) and not saying.excluded and chance.random() < 0.2
    return Customer(
        name=f"{chance.choice(_NAMES[language])} Number",
        address=f"c{number}@town{chance.randrange(9)}.example",
        saying=saying,
        begins=begins,
        fate=chance.choices(list(FATES), list(FATES.values()))[0],
        after=chance.choices((1, 2, 3), (5, 3, 2))[0],
        delay=10 * MINUTE + chance.randrange(12 * 24 * 60) * MINUTE,
        vouched=chance.random() < 0.9,
        back=_month(begins, chance.randint(2, 6)) if announced else None,
    )


def _month(begins: datetime, ahead: int) -> date:
    months = begins.month - 1 + ahead
    return date(begins.year + months // 12, months % 12 + 1, 1)


def pick(chance: Random, among: Sequence[Saying], language: str) -> Saying:
    """One of these in a language."""
    return chance.choice([saying for saying in among if saying.language == language])


class Ear:
    """Understands what these customers say, and nothing else: it stands for a model that is always right."""

    def score(self, texts: Sequence[str]) -> list[Scores]:
        return [_scores(next((one for one in _LONGEST_FIRST if one.words in text), None)) for text in texts]


_LONGEST_FIRST = sorted(SAYINGS, key=lambda saying: -len(saying.words))


def _scores(said: Saying | None) -> Scores:
    intent = Intent.NONE
    if said and said.moves:
        intent = Intent.RESCHEDULE
    elif said and said.reason:
        intent = Intent.CANCEL
    reason = said.reason if said and said.reason else BLANK
    return Scores(
        intent={each: 0.99 if each is intent else 0.005 for each in Intent},
        reason={each: 0.99 if each is reason else 0.002 for each in Reason},
        subreason={said.finer: 0.99} if said and said.finer else {},
        sensitive={said.sensitive: 0.99} if said and said.sensitive else {},
        opt_out=0.99 if said and said.opts_out else 0.0,
        firm=0.99 if said and said.firm else 0.0,
    )
