"""Forty cases as they come in, to look at every text as a customer reads it. `python tests/lifelike.py` renews the files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

from pipeline.core import flow
from pipeline.core.records import (
    Address,
    Business,
    Case,
    DateKind,
    Draft,
    FollowUp,
    FollowUpRules,
    FoundDate,
    History,
    Intent,
    Message,
    Outcome,
    Reason,
    Rules,
    Sensitive,
    Touch,
    Verdict,
)
from pipeline.edges.templates import Templates

ROOT = Path(__file__).parents[1]
APPROVED = ROOT / "tests" / "approved"
SENT = datetime(2026, 11, 20, 17, 45, tzinfo=UTC)
NOON = SENT.replace(hour=11)
BOOK = "https://bluedoor.example/book"
PHONE = "+34 600 000 100"

# The languages as folders of texts: the language, and how Spanish texts address people.
FORMS = {"en": ("en", "usted"), "es": ("es", "usted"), "es-tu": ("es", "tu")}


@dataclass(frozen=True, kw_only=True)
class Life:
    """One case: who writes, as what the mail was understood, what the business has configured, what was read before."""

    name: str
    who: str = ""
    words: Mapping[str, str]
    intent: Intent = Intent.CANCEL
    reason: Reason | None = None
    subreason: str | None = None
    sensitive: Sensitive | None = None
    firm: bool = False
    asked: str | None = None  # the question of ours that it answers
    wished: date | None = None
    track: tuple[str, ...] = ()  # the texts of its touches; the mail itself is about the last of them when `touch` is set
    touch: int = 0
    phone: str = PHONE
    url: str = BOOK
    read: tuple[str, ...] = ()
    business: str = "Bluedoor Studio"
    subject: str = ""


def w(en: str, es: str) -> Mapping[str, str]:
    return {"en": en, "es": es}


PRICE, SERVICE, TIMING, NOT_READY = Reason.PRICE, Reason.SERVICE, Reason.TIMING, Reason.NOT_READY
OTHER, UNSPECIFIED = Reason.OTHER, Reason.UNSPECIFIED
PRICE_TRACK, TIMING_TRACK = ("price_1", "price_2", "price_3"), ("timing_1", "timing_2")
DEAR = w("Please cancel my membership, it has become too expensive.", "Quiero darme de baja: se ha puesto demasiado caro.")
ILL = w("I can't come tomorrow, I have to travel.", "Mañana no puedo ir, tengo que viajar.")
PLAIN = w("Please cancel my booking.", "Por favor, cancelen mi reserva.")
BAD = w("You were late three times. I cancel.", "Llegaron tarde tres veces. Cancelo.")
LATER = w("We are not ready yet.", "Todavía no estamos preparados.")
MOVE = w("Could we move my appointment?", "¿Podemos cambiar mi cita?")
ASKED = "What made you decide?"
EASTER, MARCH = date(2027, 3, 29), date(2027, 3, 1)

CASES = (
    Life(name="timing-with-link", who="Tom Becker", words=ILL, reason=TIMING, track=TIMING_TRACK),
    Life(name="timing-without-link", who="Lucía Ortega", words=ILL, reason=TIMING, track=TIMING_TRACK, url=""),
    Life(name="timing-own-date", who="JOSÉ PÉREZ", words=ILL, reason=TIMING, wished=MARCH, track=("timing_2",)),
    Life(name="timing-again", who="Tom Becker", words=ILL, reason=TIMING, read=("timing",), track=TIMING_TRACK),
    Life(name="timing-third-time", who="", words=ILL, reason=TIMING, read=("timing", "timing.2"), url=""),
    Life(name="price-first-time", who="Karen Whitfield", words=DEAR, reason=PRICE, track=PRICE_TRACK),
    Life(name="price-no-name", words=DEAR, reason=PRICE, track=PRICE_TRACK, subject="Membership"),
    Life(name="price-again", who="García Márquez, Inés", words=DEAR, reason=PRICE, read=("price",)),
    Life(name="price-third-time", who="Bo", words=DEAR, reason=PRICE, read=("price", "price.2")),
    Life(name="price-firm", who="Karen Whitfield", words=DEAR, reason=PRICE, firm=True, track=PRICE_TRACK),
    Life(name="price-firm-no-follow-ups", who="Karen Whitfield", words=DEAR, reason=PRICE, firm=True),
    Life(name="service-with-phone", who="Dr. Anna-Lena Berg", words=BAD, reason=SERVICE, track=("service_1",)),
    Life(name="service-without-phone", who="anna@example.org", words=BAD, reason=SERVICE, phone=""),
    Life(name="service-again", who="Anna-Lena Berg", words=BAD, reason=SERVICE, read=("service",)),
    Life(name="not-ready-asked-when", who="Priya", words=LATER, reason=NOT_READY, track=("not_ready_1",)),
    Life(name="not-ready-own-date", who="Priya Nair", words=LATER, reason=NOT_READY, wished=EASTER, track=("not_ready_1",)),
    Life(
        name="not-ready-again",
        who="Priya Nair",
        words=LATER,
        reason=NOT_READY,
        wished=EASTER,
        track=("not_ready_1",),
        read=("not_ready",),
    ),
    Life(name="unspecified-first-time", who="Mike O'Neil", words=PLAIN, reason=UNSPECIFIED, track=("unspecified_1",)),
    Life(name="unspecified-again", who="Mike", words=PLAIN, reason=UNSPECIFIED, read=("unspecified",)),
    Life(name="unspecified-third-time", words=PLAIN, reason=UNSPECIFIED, read=("unspecified", "unspecified.2")),
    Life(name="unspecified-firm-again", who="Mike", words=PLAIN, reason=UNSPECIFIED, firm=True, read=("firm",)),
    Life(name="other-reason", who="Sofía", words=w("We no longer use it.", "Ya no lo usamos."), reason=OTHER),
    Life(name="other-again", who="Sofía", words=w("We sold it.", "Lo vendimos."), reason=OTHER, read=("other",)),
    Life(
        name="competitor",
        who="Ana López",
        words=w("We go with another studio.", "Nos vamos con otro estudio."),
        reason=OTHER,
        subreason="competitor",
        track=("competitor_1",),
    ),
    Life(
        name="moved-away",
        who="Helen Marsh",
        words=w("We move to Portland.", "Nos mudamos a Lima."),
        reason=OTHER,
        subreason="moved",
    ),
    Life(
        name="need-ended-again",
        who="Helen Marsh",
        words=w("The work is done.", "La obra terminó."),
        reason=OTHER,
        subreason="need_ended",
        read=("ended",),
    ),
    Life(
        name="wrong-person",
        words=w("I never booked anything.", "Yo no reservé nada."),
        reason=OTHER,
        subreason="wrong_person",
    ),
    Life(name="reschedule-with-link", who="Ben Carter", words=MOVE, intent=Intent.RESCHEDULE),
    Life(name="reschedule-no-link-again", who="Ben", words=MOVE, intent=Intent.RESCHEDULE, url="", read=("reschedule",)),
    Life(
        name="illness",
        who="Rosa",
        words=w("I have cancer and must cancel.", "Tengo cáncer y debo cancelar."),
        reason=TIMING,
        sensitive=Sensitive.ILLNESS,
    ),
    Life(
        name="hardship-again",
        who="Rosa",
        words=w("I lost my job.", "Perdí mi trabajo."),
        reason=PRICE,
        sensitive=Sensitive.HARDSHIP,
        read=("sensitive_care",),
    ),
    Life(
        name="bereavement",
        who="Ruth Adler",
        words=w("My mother has died.", "Murió mi madre."),
        reason=OTHER,
        sensitive=Sensitive.BEREAVEMENT,
    ),
    Life(
        name="legal-threat",
        words=w("My lawyer will write to you.", "Mi abogado les escribirá."),
        reason=SERVICE,
        sensitive=Sensitive.LEGAL,
        phone="",
    ),
    Life(name="touch-price-smaller", who="Karen Whitfield", words=DEAR, reason=PRICE, track=PRICE_TRACK, touch=1),
    Life(name="touch-price-again", who="Karen", words=DEAR, reason=PRICE, track=PRICE_TRACK, touch=2, read=("price_2",)),
    Life(name="touch-price-news", words=DEAR, reason=PRICE, track=PRICE_TRACK, touch=3, business="Peluquería Azul"),
    Life(name="touch-timing-no-link", who="Tom", words=ILL, reason=TIMING, track=TIMING_TRACK, touch=1, url=""),
    Life(
        name="touch-own-date",
        who="Priya",
        words=LATER,
        reason=NOT_READY,
        wished=date(2026, 11, 20),
        track=("not_ready_1",),
        touch=1,
    ),
    Life(name="touch-service", who="Anna", words=BAD, reason=SERVICE, track=("service_1",), touch=1, read=("service_1",)),
    Life(name="touch-thanks", who="Mike", words=PLAIN, reason=UNSPECIFIED, track=("unspecified_1",), touch=1),
    Life(name="told-why-again", who="Mike", words=DEAR, reason=PRICE, asked=ASKED, track=PRICE_TRACK, read=("told_why",)),
    Life(name="told-why-service", who="Anna", words=BAD, reason=SERVICE, asked=ASKED, track=("service_1",)),
)


@cache
def texts(form: str) -> Templates:
    return Templates(ROOT / "templates", form)


def written(case: Life, folder: str) -> str:
    """The mail of one case, as its customer would read it."""
    language, form = FORMS[folder]
    draft = _touch(case, language, form) if case.touch else _answer(case, language, form)
    assert draft is not None, f"{case.name} was not answered"
    to = f"{draft.recipient.name} <{draft.recipient.address}>" if draft.recipient.name else draft.recipient.address
    head = f"To: {to}\nSubject: {draft.subject}\nText: {draft.template}\n"
    return f"{head}\n{draft.text}\n" + (f"\n{draft.quote}\n" if draft.quote else "")


def _rules(case: Life, form: str) -> Rules:
    touches = tuple(Touch(after=timedelta(days=30 * n), template=name) for n, name in enumerate(case.track, 1))
    track = case.subreason or str(case.reason)
    return Rules(
        business=Business(
            name=case.business,
            sender=Address(name="Dana Reyes", address="dana@bluedoor.example"),
            address="1 Canal Street, Springfield",
            phone=case.phone,
            timezone="Europe/Madrid",
            country="US",
            reschedule_url=case.url,
            address_form=form,
        ),
        follow_ups=FollowUpRules(tracks={track: touches} if touches else {}),
    )


def _answer(case: Life, language: str, form: str) -> Draft | None:
    words = case.words[language]
    dates = ()
    if case.wished:
        dates = (FoundDate(text="then", day=case.wished, kind=DateKind.RETURN, start=0, end=0),)
    verdict = Verdict(
        intent=case.intent,
        reason=case.reason,
        subreason=case.subreason,
        sensitive=case.sensitive,
        firm=case.firm,
        asked=case.asked,
        confidence=1.0,
        intent_confidence=1.0,
        language=language,
        dates=dates,
    )
    message = Message(key="m", message_id="<m@example.org>", sender=_who(case), subject=case.subject, text=words, arrived=SENT)
    history = History(texts=case.read)
    plan = flow.answer_as(message, verdict, history, _rules(case, form), SENT, texts(form), lambda key: "stamp", revision=0)
    assert plan.decision.outcome is Outcome.ANSWER, plan.decision.why
    return plan.draft


def _touch(case: Life, language: str, form: str) -> Draft | None:
    step = FollowUp(
        key="s",
        case="m",
        address="customer@example.org",
        track=str(case.reason),
        number=case.touch,
        template=case.track[case.touch - 1],
        due=SENT,
    )
    told = Case(
        message="m",
        recipient=_who(case),
        message_id="<m@example.org>",
        thread=(),
        subject="",
        text=case.words[language],
        sent=SENT - timedelta(days=100),
        language=language,
        reason=case.reason,
        wished=case.wished,
    )
    history = History(address="customer@example.org", case="m", acknowledged=SENT - timedelta(days=99), texts=case.read)
    plan = flow.remind(step, told, history, _rules(case, form), NOON, texts(form), lambda key: "stamp", lambda who: "ab" * 32)
    assert plan.draft is not None, plan
    return plan.draft


def _who(case: Life) -> Address:
    return Address(name=case.who, address="customer@example.org")


def files() -> Iterator[tuple[Path, Life, str]]:
    """Where the approved mail of each case lies, in each form."""
    for folder in FORMS:
        for number, case in enumerate(CASES, 1):
            yield APPROVED / folder / f"{number:02}-{case.name}.txt", case, folder


def renew() -> None:
    """Write all of them anew: look at what `git diff tests/approved` says before you commit it."""
    for path, case, folder in files():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(written(case, folder), encoding="utf-8")


if __name__ == "__main__":
    renew()
