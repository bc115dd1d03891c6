"""Appointments are one row each, however often and by whomever they are told; what is not known this time stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from pipeline.core.appointments import key_of
from pipeline.core.records import (
    Address,
    Appointment,
    AppointmentState,
    ContactState,
    Customer,
    FollowUp,
    Reason,
    digest,
)
from pipeline.store import Store, schema
from store.world import DAY, MARIA, NOW, VERDICT, batch, cancelled, message, plan, sent

HOUR = timedelta(hours=1)
BOOKED, CANCELLED, NO_SHOW = AppointmentState.BOOKED, AppointmentState.CANCELLED, AppointmentState.NO_SHOW
START = NOW + 3 * DAY
ONE = Appointment(key=key_of(MARIA.key, START), address=MARIA.key, start=START)
NAMED = replace(ONE, key=key_of(MARIA.key, START, "uid-1"))
WORDS = replace(ONE, key="words", start=NOW + 3 * DAY - 10 * HOUR, start_by=NOW + 3 * DAY + 13 * HOUR, source="words")


def take(store: Store, *told: Appointment, now=NOW) -> dict[str, int]:
    return dict(store.bookings.take(told, now))


def known(store: Store) -> Appointment:
    (one,) = store.bookings.of(MARIA.key)
    return one


def test_importing_twice_equals_once(store: Store):
    assert take(store, NAMED) == {"new": 1}
    assert take(store, NAMED, now=NOW + DAY) == {"same": 1}
    assert known(store).since == NOW


def test_what_is_not_known_this_time_stays(store: Store):
    take(store, replace(NAMED, price=Decimal("80.00"), service="Colour", package=""))
    assert take(store, replace(NAMED, paid=Decimal(20)), now=NOW + DAY) == {"changed": 1}
    one = known(store)
    assert (one.price, one.paid, one.service, one.package) == (Decimal("80.00"), Decimal(20), "Colour", "")


def test_a_new_time_under_the_same_name_moves_it(store: Store):
    take(store, NAMED)
    take(store, replace(NAMED, start=START + DAY), now=NOW + HOUR)
    assert (known(store).start, known(store).since) == (START + DAY, NOW + HOUR)


def test_who_comes_when_is_enough_to_know_it_again_and_its_own_name_is_taken_over(store: Store):
    take(store, replace(ONE, source="notice"))
    take(store, NAMED)
    assert known(store).key == NAMED.key
    take(store, ONE)
    assert known(store).key == NAMED.key


def test_the_day_that_a_customer_called_off_is_found_again_in_the_calendar(store: Store):
    take(store, replace(WORDS, state=CANCELLED))
    take(store, NAMED, now=NOW + HOUR)
    one = known(store)
    assert (one.key, one.start, one.timed, one.state) == (NAMED.key, START, True, CANCELLED)


def test_a_file_that_lags_behind_brings_nothing_back(store: Store):
    take(store, NAMED)
    take(store, replace(NAMED, state=CANCELLED, source="mail", cause="work"), now=NOW + HOUR)
    assert take(store, NAMED, now=NOW + DAY) == {"same": 1}
    assert (known(store).state, known(store).cause) == (CANCELLED, "work")


def test_a_mail_or_a_new_time_does_bring_it_back(store: Store):
    take(store, replace(NAMED, state=CANCELLED))
    take(store, replace(NAMED, source="mail"), now=NOW + HOUR)
    assert known(store).state is BOOKED
    take(store, replace(NAMED, state=CANCELLED), now=NOW + 2 * HOUR)
    take(store, replace(NAMED, start=START + DAY), now=NOW + 3 * HOUR)
    assert known(store).state is BOOKED


def test_who_tells_the_day_alone_takes_no_hour_away(store: Store):
    take(store, NAMED)
    take(store, replace(WORDS, key=NAMED.key, state=CANCELLED), now=NOW + HOUR)
    assert (known(store).start, known(store).timed, known(store).state) == (START, True, CANCELLED)


def test_a_new_date_ends_the_follow_ups_and_wins_the_customer_back(store: Store):
    cancelled(store)
    take(store, ONE, now=NOW + HOUR)
    assert store.overview.counts()["step"] == {"dropped": 2}
    person = store.people.get(MARIA.key)
    assert (person.state, person.cause, person.since) == (ContactState.WON_BACK, "has a new date", NOW + HOUR)


@pytest.mark.parametrize(
    "told", [replace(ONE, start=NOW - DAY), replace(ONE, state=CANCELLED), replace(ONE, address="tom@example.org")]
)
def test_what_is_no_new_date_of_the_customer_ends_nothing(store: Store, told: Appointment):
    cancelled(store)
    take(store, told, now=NOW + HOUR)
    assert store.overview.counts()["step"] == {"planned": 2}


def test_known_already_is_no_new_date(store: Store):
    take(store, ONE)
    cancelled(store)
    take(store, replace(ONE, price=Decimal(80)), now=NOW + HOUR)
    assert store.overview.counts()["step"] == {"planned": 2}


def test_a_cancellation_by_mail_is_written_with_its_appointment_in_one_commit(store: Store):
    take(store, NAMED)
    store.intake.take(batch("1", last=1), NOW)
    off = replace(NAMED, state=CANCELLED, source="words")
    store.plans.decided([replace(plan(message("1"), store), appointments=(off,), late=True)], NOW)
    assert known(store).state is CANCELLED
    history = store.past.of_address(MARIA.key)
    assert [late for _, late in history.lateness] == [True]
    assert history.appointments == (known(store),)


def test_freed_slots_and_no_shows_are_handed_out_until_they_were_looked_at(store: Store):
    take(store, replace(NAMED, state=CANCELLED), replace(ONE, key="b", start=NOW - DAY, state=NO_SHOW))
    (freed,), (missed,) = store.bookings.freed(NOW), store.bookings.missed()
    assert (freed.state, missed.state) == (CANCELLED, NO_SHOW)
    store.bookings.offered(freed, None, NOW)
    assert not store.bookings.noted(missed, None, NOW)
    assert (store.bookings.freed(NOW), store.bookings.missed()) == ([], [])


def test_a_slot_that_is_freed_again_is_handed_out_again(store: Store):
    take(store, replace(NAMED, state=CANCELLED))
    store.bookings.offered(known(store), None, NOW)
    take(store, replace(NAMED, start=START + DAY), now=NOW + HOUR)
    take(store, replace(NAMED, start=START + DAY, state=CANCELLED), now=NOW + 2 * HOUR)
    assert len(store.bookings.freed(NOW)) == 1


def waiting(store: Store) -> list[str]:
    free = replace(ONE, address="ann@example.org", state=CANCELLED)
    return [each.case.recipient.address for each in store.bookings.waiting(free, START.date(), most=1, rested=NOW)]


def test_who_found_no_fitting_time_waits_once_our_answer_is_out(store: Store):
    store.intake.take(batch("1", last=1), NOW)
    timing = replace(VERDICT, reason=Reason.TIMING)
    store.plans.decided([replace(plan(message("1"), store, automatic=True), verdict=timing)], NOW)
    assert waiting(store) == []
    sent(store)
    assert waiting(store) == [MARIA.key]
    take(store, replace(ONE, state=CANCELLED), now=NOW + HOUR)
    assert waiting(store) == [MARIA.key]
    take(store, replace(ONE, start=START + DAY), now=NOW + HOUR)
    assert waiting(store) == []


def test_who_cancelled_for_another_reason_does_not_wait(store: Store):
    cancelled(store, automatic=True)
    sent(store)
    assert waiting(store) == []


def crowd(store: Store, size: int, **columns: object) -> list[str]:
    """Who cancelled for lack of a fitting time and had our answer, one a minute; the columns are of all cases but the last."""
    mails = [message(str(n), Address(name=f"C{n}", address=f"c{n}@example.org")) for n in range(1, size + 1)]
    store.intake.take(batch(*(str(n) for n in range(1, size + 1)), last=size), NOW)
    for number, of in enumerate(mails):
        timing = replace(plan(of, store), verdict=replace(VERDICT, reason=Reason.TIMING))
        store.plans.decided([timing], NOW + number * timedelta(minutes=1))
    with store.database.writing() as connection:
        connection.execute(schema.case.update().values(acknowledged=NOW))
        others = schema.case.c.message != mails[-1].key
        connection.execute(schema.case.update().where(others).values(acknowledged=NOW, **columns))
    return [of.sender.address for of in mails if of.sender]


@pytest.mark.parametrize(
    "full", [{"touches": 3}, {"wished": (START + DAY).date()}, {"last_touch": NOW + HOUR}], ids=["touches", "later", "unrested"]
)
def test_who_can_take_no_slot_keeps_nobody_off_the_page(store: Store, full: dict[str, object]):
    *_, last = crowd(store, 22, **full)
    able = store.bookings.waiting(replace(ONE, state=CANCELLED), START.date(), most=3, rested=NOW)
    assert [each.case.recipient.address for each in able] == [last]


def test_who_had_all_touches_keeps_nobody_from_being_named_to_a_rep(store: Store):
    *_, last = crowd(store, 22, touches=3)
    (history,) = store.past.of_messages([message("99")])
    assert history.waiting[0].case.recipient.address == last


def test_who_had_the_last_greeting_keeps_nobody_from_theirs(store: Store):
    *_, last = crowd(store, 3)
    with store.database.writing() as connection:
        connection.execute(schema.contact.update().values(state=ContactState.HIBERNATING))
        connection.execute(schema.step.update().values(state="done"))
        connection.execute(schema.step.update().where(schema.step.c.address != last).values(track="hibernation"))
    (sleeper,) = store.bookings.sleepers(most=2, limit=1)
    assert (sleeper[0].recipient.address, sleeper[1]) == (last, 1)


def test_a_step_is_planned_once(store: Store):
    of = cancelled(store)
    step = FollowUp(
        key=digest("x"), case=of.key, address=MARIA.key, track="connecting", number=1, template="prepare", due=NOW + DAY
    )
    assert store.bookings.plan(step, NOW)
    assert not store.bookings.plan(step, NOW)


def test_customers_of_a_file_keep_what_is_not_in_it_this_time(store: Store):
    whole = Customer(address=MARIA.key, name="Maria Lopez", language="es", package="ten", sessions_left=4)
    assert dict(store.bookings.take_customers([whole], NOW)) == {"new": 1}
    assert dict(store.bookings.take_customers([Customer(address=MARIA.key, sessions_left=3)], NOW)) == {"changed": 1}
    assert dict(store.bookings.take_customers([Customer(address=MARIA.key)], NOW)) == {"same": 1}
    history = store.past.of_address(MARIA.key)
    assert (history.language, history.package, history.sessions_left) == ("es", "ten", 3)


def test_a_mail_leaves_alone_what_a_file_said_of_its_writer(store: Store):
    store.bookings.take_customers([Customer(address=MARIA.key, package="ten", sessions_left=4)], NOW)
    cancelled(store)
    history = store.past.of_address(MARIA.key)
    assert (history.state, history.package, history.sessions_left) == (ContactState.IN_FOLLOW_UP, "ten", 4)


def test_export_and_erasure_cover_appointments(store: Store):
    take(store, replace(NAMED, name="Maria Lopez", service="Colour"))
    assert store.people.export(MARIA.key)["appointment"][0]["service"] == "Colour"
    store.people.erase(MARIA.key, NOW)
    assert store.bookings.all() == []
    store.close()
    data = store.database.path.read_bytes()
    assert b"Maria Lopez" not in data
    assert b"Colour" not in data


def test_appointments_are_forgotten_with_the_rest_of_history(store: Store):
    take(store, replace(ONE, start=NOW - 800 * DAY), NAMED)
    store.overview.tidy(180 * DAY, 730 * DAY, NOW)
    assert store.bookings.all() == [known(store)]
