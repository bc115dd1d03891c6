"""Who may be followed up in which country, and what counts as evidence of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.core import law
from pipeline.core.records import Address, Appointment, AppointmentState, Basis, Ground, Intent, Message, Reason, Verdict

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
CANCELS = Verdict(intent=Intent.CANCEL, reason=Reason.PRICE)


def ground(basis: Basis, *, days_ago: int = 1, by_person: bool = False) -> Ground:
    return Ground(basis=basis, evidence="words", since=NOW - timedelta(days=days_ago), by_person=by_person)


@pytest.mark.parametrize(
    ("country", "allowed"),
    [
        ("US", "none contract consent"),
        ("CA", "contract consent"),
        ("GB", "contract consent"),
        ("ES", "contract consent"),
        ("DE", "contract consent"),
        ("MX", "contract consent"),
        ("AR", "contract consent"),
        ("CO", "consent"),
        ("JP", "contract consent"),
        ("", "contract consent"),
    ],
)
def test_each_country_asks_for_its_basis(country: str, allowed: str):
    may = {str(basis) for basis in Basis if law.barred(ground(basis), country, NOW) is None}
    assert may == set(allowed.split())
    assert (law.barred(None, country, NOW) is None) == ("none" in may)


def test_the_sentence_names_the_cause_the_need_and_the_source():
    said = law.barred(None, "ES", NOW) or ""
    assert "no_basis" in said
    assert "Spain asks for a prior contract or consent (LSSI" in said


@pytest.mark.parametrize(("days_ago", "barred"), [(1, False), (730, False), (731, True)])
def test_in_canada_a_contract_counts_for_two_years(days_ago: int, barred: bool):
    assert (law.barred(ground(Basis.CONTRACT, days_ago=days_ago), "CA", NOW) is not None) == barred
    assert law.barred(ground(Basis.CONSENT, days_ago=3000), "CA", NOW) is None


def test_no_country_stands_in_two_profiles():
    countries = [country for one in law.PROFILES for country in one.countries]
    assert len(countries) == len(set(countries))


def shown(text: str, *, subject: str = "Hello", verified: bool = True, verdict: Verdict = CANCELS) -> str | None:
    message = Message(key="m", sender=Address(address="m@example.org"), subject=subject, text=text, arrived=NOW)
    found = law.evidence(message, verdict, verified=verified)
    return f"{found.basis}: {found.evidence}" if found else None


@pytest.mark.parametrize(
    ("text", "evidence"),
    [
        ("Hi,\nplease cancel my membership.\nBye", "contract: please cancel my membership."),
        ("I won't be able to come to my appointment.", "contract: I won't be able to come to my appointment."),
        ("Quiero anular la cita del lunes.", "contract: Quiero anular la cita del lunes."),
        ("La cita de mañana: anúlela, por favor.", "contract: La cita de mañana: anúlela, por favor."),
        ("Quiero darme de baja.", "contract: Quiero darme de baja."),
        ("Necesito dejar mis clases.", "contract: Necesito dejar mis clases."),
        ("Not now. Please call me in March.", "consent: Not now. Please call me in March."),
        ("Ahora no. Escríbame en marzo.", "consent: Ahora no. Escríbame en marzo."),
        ("Thank you for the quote, but we won't go ahead.", None),
        ("Please cancel the estimate, we found somebody.", None),
        ("I want to cancel my free trial.", None),
        ("Gracias por el presupuesto que nos envió; cancelamos la idea.", None),
        ("We decided against it.", None),
        ("Please do not call me.", None),
    ],
)
def test_a_booking_called_off_shows_a_contract_and_a_declined_offer_shows_none(text: str, evidence: str | None):
    assert shown(text) == evidence


def test_only_a_sender_whom_a_server_vouches_for_shows_anything():
    assert shown("Please cancel my membership.", verified=False) is None


def test_who_opts_out_or_writes_of_other_things_shows_nothing():
    assert shown("Cancel my plan, no more mail.", verdict=Verdict(intent=Intent.CANCEL, opt_out=True)) is None
    assert shown("My appointment was lovely.", verdict=Verdict(intent=Intent.NONE)) is None
    comparing = Verdict(intent=Intent.CANCEL, reason=Reason.NOT_READY, subreason="still_comparing")
    assert shown("We cancel for now.", verdict=comparing) is None


@pytest.mark.parametrize(
    ("known", "new", "counts"),
    [
        (None, ground(Basis.CONTRACT), "new"),
        (ground(Basis.CONTRACT, days_ago=9), None, "known"),
        (ground(Basis.CONTRACT, days_ago=9), ground(Basis.CONTRACT), "new"),
        (ground(Basis.CONTRACT), ground(Basis.CONTRACT, days_ago=9), "known"),
        (ground(Basis.CONSENT, days_ago=9), ground(Basis.CONTRACT), "known"),
        (ground(Basis.NONE, by_person=True), ground(Basis.CONSENT), "known"),
        (ground(Basis.CONTRACT), ground(Basis.CONSENT), "new"),
    ],
)
def test_a_persons_word_comes_first_then_consent(known: Ground | None, new: Ground | None, counts: str):
    assert law.stronger(known, new) is (new if counts == "new" else known)


def booking(source: str) -> Appointment:
    return Appointment(key=source, address="m@example.org", start=NOW, state=AppointmentState.CANCELLED, source=source)


@pytest.mark.parametrize(("source", "shows"), [("file", True), ("calendar", True), ("notice", True), ("words", False)])
def test_an_appointment_of_which_the_business_itself_tells_shows_a_contract(source: str, shows: bool):
    found = law.known(None, [booking(source)])
    assert (found is not None) == shows
    assert (law.barred(found, "ES", NOW) is None) == shows


def test_what_a_person_recorded_counts_more_than_an_appointment():
    said = ground(Basis.NONE, by_person=True)
    assert law.known(said, [booking("file")]) == said
