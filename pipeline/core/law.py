"""May this customer be followed up? What the law of a country asks for, and what counts as evidence. Not legal advice."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.core.records import Appointment, Basis, Ground, Intent, Message, Verdict

NO_BASIS = "no_basis"  # the cause for which a follow-up is dropped

_EITHER = frozenset({Basis.CONTRACT, Basis.CONSENT})


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """What a country asks for before a mail that sells: one of the bases in `asks`, or nothing at all.

    `contract_lasts`: for how long after it a contract counts; None: without end. `source` is where it is written.
    """

    name: str
    countries: frozenset[str]
    source: str
    asks: frozenset[Basis] = _EITHER
    contract_lasts: timedelta | None = None


# Where several readings are possible the table takes the careful one. Acknowledgments are no such mails and need no basis.
PROFILES = (
    Profile(name="United States", countries=frozenset({"US"}), asks=frozenset(), source="CAN-SPAM Act, 15 USC 7704"),
    Profile(
        name="Canada",
        countries=frozenset({"CA"}),
        contract_lasts=timedelta(days=730),
        source="CASL, section 10(9) and (10): two years after the purchase or the end of the contract",
    ),
    Profile(name="United Kingdom", countries=frozenset({"GB"}), source="PECR 2003, regulation 22"),
    Profile(name="Spain", countries=frozenset({"ES"}), source="LSSI, articles 21 and 22: prior contract, own similar services"),
    Profile(
        name="European Economic Area",
        countries=frozenset("AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI SE IS LI NO".split()),
        source="Directive 2002/58/EC, article 13(2), as each country has made it its own",
    ),
    Profile(name="Mexico", countries=frozenset({"MX"}), source="LFPC, articles 17 and 18 bis, and the law on personal data"),
    Profile(name="Argentina", countries=frozenset({"AR"}), source="Ley 25.326, articles 5 and 27"),
    Profile(
        name="Colombia",
        countries=frozenset({"CO"}),
        asks=frozenset({Basis.CONSENT}),
        source="Ley 1581 de 2012, article 9, and Ley 2300 de 2023, article 5",
    ),
)
OTHER = Profile(name="any other country", countries=frozenset(), source="the careful reading: as in Europe")


def profile(country: str) -> Profile:
    """The profile of a country by its two letters; that of any other country when it has none, or is not known."""
    return next((one for one in PROFILES if country in one.countries), OTHER)


def barred(ground: Ground | None, country: str, now: datetime) -> str | None:
    """Why no follow-up may go to a customer with this ground, in a sentence; None when one may."""
    rules = profile(country)
    basis = ground.basis if ground else Basis.NONE
    if not rules.asks:
        return None
    if basis not in rules.asks:
        wanted = " or ".join(_WORDS[each] for each in sorted(rules.asks, reverse=True))
        return f"No follow-up may go out ({NO_BASIS}): {rules.name} asks for {wanted} ({rules.source})."
    if ground and basis is Basis.CONTRACT and rules.contract_lasts and now - ground.since > rules.contract_lasts:
        return f"No follow-up may go out ({NO_BASIS}): the contract ended too long ago for {rules.name} ({rules.source})."
    return None


_WORDS = {Basis.CONTRACT: "a prior contract", Basis.CONSENT: "consent", Basis.NONE: "nothing"}


def evidence(message: Message, verdict: Verdict, *, verified: bool) -> Ground | None:
    """What a mail itself shows of a basis, with the words that show it; None when it shows nothing.

    Only a sender for whom a trusted server vouches can give evidence. Who asks to be contacted consents. Who cancels what was
    booked or bought had a contract; who declines an offer, a quote or a trial had none.
    """
    if not verified or verdict.opt_out or verdict.intent is Intent.NONE:
        return None
    said = f"{message.subject}\n{message.text}"
    sent = message.sent or message.arrived
    asked = _ASKS_TO_BE_CONTACTED.search(said)
    if asked and not _NOT.search(said[: asked.start()][-24:]):
        return Ground(basis=Basis.CONSENT, evidence=_quoted(said, asked), since=sent)
    booked = _BOOKED.search(said)
    if booked and not _ONLY_OFFERED.search(said) and verdict.subreason not in _NEVER_BOUGHT:
        return Ground(basis=Basis.CONTRACT, evidence=_quoted(said, booked), since=sent)
    return None


# Whose word on an appointment shows a contract: yours, your calendar's and your booking tool's; not the customer's.
_BOOKED_BY = frozenset({"file", "calendar", "notice"})


def known(ground: Ground | None, appointments: Iterable[Appointment]) -> Ground | None:
    """What counts of what was recorded and of what the customer had booked; None when neither shows a basis."""
    booked = [one for one in appointments if one.source in _BOOKED_BY]
    if not booked:
        return ground
    last = max(booked, key=lambda one: one.start)
    return stronger(ground, Ground(basis=Basis.CONTRACT, evidence=f"an appointment on {last.start:%Y-%m-%d}", since=last.start))


_NEVER_BOUGHT = frozenset({"still_comparing", "wrong_person"})
_ASKS_TO_BE_CONTACTED = re.compile(
    r"\b(?:(?:please |do |you can |feel free to )?(?:contact|call|write to|e-?mail|ring|ping|remind|message|text) me\b"
    r"|(?:get|keep|stay) (?:back )?in touch\b|(?:check|get) back (?:in )?with me\b|follow up with me\b|let me know when\b"
    r"|(?:escr[ií]b[ae]n?me|ll[aá]m[ae]n?me|cont[aá]ct[ae]n?me|av[ií]s[ae]n?me|recu[eé]rd[ae]n?me|m[aá]nd[ae]n?me)\b"
    r"|(?:me )?(?:pueden|puede|puedes) (?:escribir|llamar|contactar|avisar)(?:me)?\b)",
    re.IGNORECASE,
)
_NOT = re.compile(r"\b(?:not|don't|never|no)(?: \w+)? ?$", re.IGNORECASE)
_BOOKED = re.compile(
    r"\bcanc[eé]l\w*\b|\bterminat\w+\b|\b(?:my|our) (?:\w+ )?(?:appointment|booking|reservation|membership|subscription"
    r"|session|order|class|lessons?|plan|contract|stay|treatment|visit)\b|\ban[uú]l\w+\b|\b(?:de|la) baja\b|\brescind\w+\b"
    r"|\b(?:mi|mis|nuestra|nuestro) (?:cita|turno|reserva|membres[ií]a|suscripci[oó]n|sesi[oó]n|pedido|clases?"
    r"|plan|contrato|bono|estancia|tratamiento|visita)\b",
    re.IGNORECASE,
)
_ONLY_OFFERED = re.compile(
    r"\b(?:quotes?|quotation|estimate|proposal|bid|(?:free )?trial|demo|tender|inquiry|enquiry|your offer"
    r"|cotizaci[oó]n|presupuestos? (?:que|de|n|para)|propuesta|prueba gratuita|periodo de prueba|su oferta|tu oferta)\b",
    re.IGNORECASE,
)


def _quoted(said: str, found: re.Match[str]) -> str:
    """The line in which the words stand, shortened round them."""
    begin, end = max(0, found.start() - 60), min(len(said), found.end() + 60)
    before, after = said[begin : found.start()].rpartition("\n")[2], said[found.end() : end].partition("\n")[0]
    return f"{before}{found[0]}{after}".strip()


def stronger(known: Ground | None, new: Ground | None) -> Ground | None:
    """Which of two grounds counts: a person's word first, then consent, then the later contract."""
    if known is None or new is None:
        return known or new
    if known.by_person or (known.basis is Basis.CONSENT and new.basis is Basis.CONTRACT):
        return known
    return new if known.basis is not new.basis else max(new, known, key=lambda each: each.since)
