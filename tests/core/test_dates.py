from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

import pytest

from pipeline.core import dates
from pipeline.core.records import Address, Business, Calendar, DateKind, DayPurpose, FoundDate, Intent, Message, Rules

TUESDAY = datetime(2026, 3, 10, 15, tzinfo=UTC)
NOVEMBER = datetime(2026, 11, 24, 15, tzinfo=UTC)  # a Tuesday as well


def rules(country: str = "US", timezone: str = "UTC") -> Rules:
    business = Business(name="Bluedoor", sender=Address(address="dana@bluedoor.example"), country=country, timezone=timezone)
    return Rules(business=business)


def found(
    text: str,
    intent: Intent = Intent.CANCEL,
    *,
    sent: datetime = TUESDAY,
    country: str = "US",
    timezone: str = "UTC",
    calendar: Calendar | None = None,
    subject: str = "",
    learnt: DayPurpose | None = None,
) -> tuple[FoundDate, ...]:
    message = Message(key="m1", subject=subject, text=text, sent=sent, arrived=sent, calendar=calendar)
    return dates.find(message, intent, rules(country, timezone), learnt)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("not this week, the week after", [date(2026, 3, 10), date(2026, 3, 16)]),
        ("I'm away next week, could we do the week after?", [date(2026, 3, 16), date(2026, 3, 23)]),
        ("the Friday of the week after", [date(2026, 3, 20)]),
        ("I can't do April 14, is the week after free?", [date(2026, 4, 14), date(2026, 4, 20)]),
        ("I had it last Tuesday. The week after would do", [date(2026, 3, 3), date(2026, 3, 16)]),
        ("could we push Thursday the 19th to the following week?", [date(2026, 3, 19), date(2026, 3, 23)]),
        ("el 20 no puedo, ¿y la semana siguiente?", [date(2026, 3, 20), date(2026, 3, 23)]),
        ("Could we do Sunday? If not the following Saturday", [date(2026, 3, 15), date(2026, 3, 21)]),
        ("we leave on the 20th.\n\nThe following week suits us", [date(2026, 3, 20), date(2026, 3, 16)]),
        ("the week after my surgery", []),
        ("it rains week after week", []),
    ],
)
def test_the_week_after_follows_the_day_that_was_named_before_it(text: str, days: list[date]):
    assert [each.day for each in found(text)] == days


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("I can't make it tomorrow", date(2026, 3, 11)),
        ("cancel the day after tomorrow please", date(2026, 3, 12)),
        ("no puedo pasado mañana a las 5", date(2026, 3, 12)),
        ("cancelo lo de hoy", date(2026, 3, 10)),
        ("cancel Thursday", date(2026, 3, 12)),
        ("cancel this Friday", date(2026, 3, 13)),
        ("can't come next Thursday", date(2026, 3, 19)),
        ("no puedo el jueves que viene", date(2026, 3, 12)),
        ("cancelen el próximo lunes", date(2026, 3, 16)),
        ("cancel Thursday week", date(2026, 3, 19)),
        ("please cancel March 15th", date(2026, 3, 15)),
        ("please cancel 5 April", date(2026, 4, 5)),
        ("anulen el 5 de abril", date(2026, 4, 5)),
        ("cancel our stay from the 15th to 29 June 2027", date(2027, 6, 15)),
        ("cancel the week of the 14th", date(2026, 3, 14)),
        ("cancelen la semana del 14", date(2026, 3, 14)),
        ("cancel 2026-04-02", date(2026, 4, 2)),
        ("I have to cancel next week", date(2026, 3, 16)),
        ("cancelo la semana que viene", date(2026, 3, 16)),
    ],
)
def test_a_day_is_resolved_against_the_day_the_mail_was_sent(text: str, day: date):
    assert found(text)[0].day == day


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("cancel our table on Friday, April 3", date(2026, 4, 3)),
        ("cancel Saturday the 16th of May", date(2026, 5, 16)),
        ("the party on Sat. Oct 10th is off", date(2026, 10, 10)),
        ("la cita del viernes, 3 de abril", date(2026, 4, 3)),
        ("anulen lo del lunes día 20 de abril", date(2026, 4, 20)),
        ("mié 11 nov, cita con Marta", date(2026, 11, 11)),
        ("I can't do Thursday (April 9)", date(2026, 4, 9)),
        ("cancel Friday, April 3, 2026", date(2026, 4, 3)),
        ("cancel Friday the 20th", date(2026, 3, 20)),
        ("no voy el viernes día 20", date(2026, 3, 20)),
    ],
)
def test_a_weekday_before_a_date_belongs_to_it(text: str, day: date):
    assert [one.day for one in found(text, country="ES")] == [day]


def test_a_weekday_on_which_the_date_does_not_fall_is_a_day_of_its_own():
    said = "I can't come Friday. April 14 would suit me"
    assert [(one.text, one.day) for one in found(said)] == [("Friday", date(2026, 3, 13)), ("April 14", date(2026, 4, 14))]
    assert [one.day for one in found("not Friday, April 14, 2026 is better")] == [date(2026, 3, 13), date(2026, 4, 14)]


def test_brackets_round_a_date_belong_to_it_both():
    assert [one.text for one in found("I can't do Thursday (April 9), sorry")] == ["Thursday (April 9)"]
    assert [one.text for one in found("I'm away (from April 9)")] == ["from April 9"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("end it on 31 January. Thank you", "on 31 January"),
        ("end it on 31 Jan.", "on 31 Jan"),
        ("end it on 31 Jan. 2027, please", "on 31 Jan. 2027"),
    ],
)
def test_the_stop_of_a_sentence_is_no_part_of_a_date(text: str, words: str):
    assert [one.text for one in found(text)] == [words]


def test_a_weekday_tells_which_year_is_meant():
    assert found("the invoice of Saturday 15 November")[0].day == date(2025, 11, 15)
    assert found("we marry on Saturday 14 November")[0].day == date(2026, 11, 14)
    assert found("cancel Friday, 31 April") == ()


def test_a_weekday_tells_whether_the_month_comes_first():
    assert found("cancel Thursday 4/9", country="ES")[0].day == date(2026, 4, 9)
    assert found("cancel Friday 4/9", country="ES")[0].day == date(2026, 9, 4)
    assert found("cancel Monday 4/9", country="ES")[0].day == date(2026, 9, 4)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Try me again after Easter.", date(2026, 4, 6)),
        ("Maybe after the summer.", date(2026, 9, 1)),
        ("Call me in about six weeks.", date(2026, 4, 21)),
        ("Please write to me again in Q3.", date(2026, 7, 1)),
        ("Not before September.", date(2026, 9, 1)),
        ("Let's wait until next year.", date(2027, 1, 1)),
        ("We'll be back when the kids are back at school.", date(2026, 9, 1)),
        ("Vuelvo después de Reyes.", date(2027, 1, 7)),
        ("Retomamos en septiembre.", date(2026, 9, 1)),
        ("Volvería a partir de mayo.", date(2026, 5, 1)),
        ("Vuelvo dentro de dos meses.", date(2026, 5, 10)),
        ("Escríbanme el año que viene.", date(2027, 1, 1)),
        ("Lo retomo el próximo trimestre.", date(2026, 4, 1)),
        ("Quizás en otoño.", date(2026, 9, 1)),
    ],
)
def test_the_day_to_come_back_is_known_as_such(text: str, day: date):
    assert [(each.day, each.kind) for each in found(text)] == [(day, DateKind.RETURN)]


def test_a_day_in_the_subject_counts_and_has_no_place_in_the_text():
    days = found("Please cancel, and not the one on Friday.", subject="Re: Thursday at 5")
    assert [(each.text, each.day, each.start) for each in days] == [
        ("Thursday at 5", date(2026, 3, 12), -1),
        ("on Friday", date(2026, 3, 13), 31),
    ]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("move it to 3 April or, if that is taken, the 10th", [date(2026, 4, 3), date(2026, 4, 10)]),
        ("some day in April, after the 11th when I am back", [date(2026, 4, 1), date(2026, 4, 11)]),
        ("Not in April! The 11th is fine", [date(2026, 4, 1), date(2026, 3, 11)]),
        ("on Thursday or the 20th", [date(2026, 3, 12), date(2026, 3, 20)]),
    ],
)
def test_a_bare_day_has_the_month_that_was_named_before_it_in_the_sentence(text: str, days: list[date]):
    assert [each.day for each in found(text, Intent.RESCHEDULE)] == days


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("stop it at the end of April", date(2026, 4, 30)),
        ("cierren la cuenta a fin de septiembre", date(2026, 9, 30)),
        ("in late September", date(2026, 9, 25)),
        ("my visit on the 30th may be my last", date(2026, 3, 30)),
        ("my visit on the 30th May", date(2026, 5, 30)),
        ("cancel this arvo", date(2026, 3, 10)),
    ],
)
def test_the_end_of_a_month_is_its_last_day_and_may_is_not_always_a_month(text: str, day: date):
    assert found(text)[0].day == day


@pytest.mark.parametrize(
    ("text", "country", "day"),
    [
        ("stop it at the end of March", "US", date(2026, 3, 31)),
        ("away until the middle of May", "US", date(2026, 5, 15)),
        ("la última semana de agosto", "ES", date(2026, 8, 24)),
        ("cancelo el jueves 12 a las 5", "ES", date(2026, 3, 12)),
        ("nada antes del jueves 2", "ES", date(2026, 4, 2)),
        ("can he come sat morning", "GB", date(2026, 3, 14)),
        ("we've been with you since 2019", "GB", date(2019, 1, 1)),
        ("before Mother's Day", "GB", date(2026, 3, 15)),
        ("before Mother's Day", "US", date(2026, 5, 10)),
        ("antes del día de la madre", "ES", date(2026, 5, 3)),
        ("antes del día de la madre", "MX", date(2026, 5, 10)),
        ("el día de la madre", "AR", date(2026, 10, 18)),
        ("por San Valentín", "ES", date(2027, 2, 14)),
        ("open again by Memorial Day", "US", date(2026, 5, 25)),
        ("after Labor Day", "US", date(2026, 9, 8)),
        ("for Father's Day", "US", date(2026, 6, 21)),
        ("we are with you since the autumn of 2024", "GB", date(2024, 9, 1)),
        ("quizás en la primavera de 2028", "ES", date(2028, 3, 1)),
    ],
)
def test_days_are_named_in_many_ways(text: str, country: str, day: date):
    assert found(text, country=country)[0].day == day


def test_a_number_that_does_not_fit_the_weekday_is_not_its_date():
    assert found("cancel Thursday 20 minutes before")[0].day == date(2026, 3, 12)


@pytest.mark.parametrize(
    ("text", "kind", "day"),
    [
        ("the invoice for the 2/27 run", DateKind.MENTIONED, date(2026, 2, 27)),
        ("the invoice for February", DateKind.MENTIONED, date(2026, 2, 1)),
        ("please stop it on 27 February", DateKind.CANCELLED, date(2027, 2, 27)),
        ("treatment starts on 2 May", DateKind.PAST, date(2026, 5, 2)),
        ("the copy for March", DateKind.PAST, date(2026, 3, 1)),
        ("I rang this morning", DateKind.PAST, date(2026, 3, 10)),
        ("nobody came over the weekend", DateKind.PAST, date(2026, 3, 7)),
    ],
)
def test_a_day_of_the_year_is_the_one_that_lies_near(text: str, kind: DateKind, day: date):
    likely = {DateKind.CANCELLED: 0.1, DateKind.MENTIONED: 0.2, kind: 0.8}
    assert found(text, learnt=lambda features: likely)[0].day == day


def test_a_day_that_is_merely_spoken_of_and_lies_behind_is_past():
    said = found("the invoice for February", learnt=lambda features: {DateKind.MENTIONED: 0.8, DateKind.PAST: 0.1})
    assert [(each.kind, each.day) for each in said] == [(DateKind.PAST, date(2026, 2, 1))]


def test_what_begins_with_today_is_not_over():
    assert (
        found("end it from today", learnt=lambda features: {DateKind.PAST: 0.9, DateKind.CANCELLED: 0.1})[0].kind
        is DateKind.CANCELLED
    )


def test_what_was_learnt_says_what_a_day_is_for():
    asked: list[Mapping[str, float]] = []

    def learnt(features: Mapping[str, float]) -> Mapping[DateKind, float]:
        asked.append(features)
        return {DateKind.CANCELLED: 0.2, DateKind.RETURN: 0.7, DateKind.MENTIONED: 0.1}

    [each] = found("I can't come on Thursday.", learnt=learnt)
    assert each.kind is DateKind.RETURN
    assert {"before come", "is thursday", "rule cancelled", "cancel: soon"} <= set(asked[0])


def test_a_day_to_come_back_on_must_be_sure():
    unsure = {DateKind.CANCELLED: 0.3, DateKind.RETURN: 0.45, DateKind.MENTIONED: 0.25}
    assert found("I can't come on Thursday.", learnt=lambda features: unsure)[0].kind is DateKind.MENTIONED


def test_what_was_learnt_calls_no_day_past_that_lies_ahead_and_none_future_that_is_gone():
    past = {DateKind.PAST: 0.9, DateKind.CANCELLED: 0.1}
    assert found("I can't come tomorrow.", learnt=lambda features: past)[0].kind is DateKind.CANCELLED
    assert found("I came yesterday.", learnt=lambda features: {DateKind.CANCELLED: 1.0})[0].kind is DateKind.PAST


def test_autumn_begins_in_march_on_the_southern_half():
    assert found("Quizás en otoño.", country="AR", sent=datetime(2026, 1, 10, tzinfo=UTC))[0].day == date(2026, 3, 1)


def test_christmas_holidays_last_until_epiphany_in_spain():
    assert found("Vuelvo después de las fiestas.", country="ES")[0].day == date(2027, 1, 7)
    assert found("Vuelvo después de las fiestas.", country="MX")[0].day == date(2027, 1, 2)


@pytest.mark.parametrize(("text", "country"), [("cancel 4/3", "US"), ("cancel 3/4", "UK"), ("cancelo el 3/4", "ES")])
def test_figures_are_month_first_in_the_us_and_day_first_elsewhere(text: str, country: str):
    assert found(text, country=country)[0].day == date(2026, 4, 3)


@pytest.mark.parametrize(
    "text",
    [
        "open 24/7",
        "I may cancel",
        "we march on",
        "version 3.14",
        "it costs 12.50",
        "a las 5",
        "por la mañana",
        "Dear Ms Reyes",
        "on the second floor",
    ],
)
def test_what_is_no_day_is_left_alone(text: str):
    assert found(text) == ()


def test_the_day_is_that_of_the_business_not_of_the_server():
    late = datetime(2026, 3, 11, 3, tzinfo=UTC)
    assert found("cancel tomorrow", sent=late, timezone="America/Chicago")[0].day == date(2026, 3, 11)


def test_the_place_is_that_in_the_customers_text():
    text = "¡Hola! Cancelo la cita del MIÉRCOLES, gracias."
    [each] = found(text)
    assert text[each.start : each.end] == each.text
    assert each.day == date(2026, 3, 11)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Please cancel my appointment on Thursday.", DateKind.CANCELLED),
        ("No puedo ir el jueves.", DateKind.CANCELLED),
        ("I sent you a mail yesterday.", DateKind.PAST),
        ("Your man came on Monday and broke the lamp.", DateKind.PAST),
        ("Llevo esperando desde el lunes.", DateKind.PAST),
    ],
)
def test_in_a_cancellation_the_words_nearby_say_what_a_day_is_for(text: str, kind: DateKind):
    assert found(text)[0].kind is kind


def test_a_day_looked_back_at_lies_in_the_past():
    assert found("Your man came on Monday and broke the lamp.")[0].day == date(2026, 3, 9)


def test_a_reschedule_names_the_old_day_and_the_new_one():
    days = found("Can we move my appointment from Thursday to Friday?", Intent.RESCHEDULE)
    assert [(each.day, each.kind) for each in days] == [
        (date(2026, 3, 12), DateKind.CANCELLED),
        (date(2026, 3, 13), DateKind.NEW_SLOT),
    ]


def test_days_in_other_mail_are_merely_mentioned():
    assert found("See you on Thursday!", Intent.NONE)[0].kind is DateKind.MENTIONED


def test_a_called_off_calendar_entry_gives_its_day():
    calendar = Calendar(method="CANCEL", start=datetime(2026, 3, 20, 9, tzinfo=UTC))
    [each] = found("", calendar=calendar)
    assert (each.day, each.kind, each.start) == (date(2026, 3, 20), DateKind.CANCELLED, -1)


@pytest.mark.parametrize(
    ("year", "day"), [(2024, date(2024, 3, 31)), (2026, date(2026, 4, 5)), (2027, date(2027, 3, 28)), (2038, date(2038, 4, 25))]
)
def test_easter_is_where_the_calendar_has_it(year: int, day: date):
    [each] = found("cancel Easter", sent=datetime(year, 1, 2, tzinfo=UTC))
    assert each.day == day


def test_the_thirty_first_waits_for_a_month_that_has_one():
    assert found("cancel the 31st", sent=datetime(2026, 4, 2, tzinfo=UTC))[0].day == date(2026, 5, 31)


def test_a_leap_day_without_a_year_is_found_only_when_it_comes():
    assert found("cancel 29 February", sent=datetime(2026, 3, 1, tzinfo=UTC)) == ()


def test_a_long_text_is_searched_quickly():
    text = "next next next the the the last last en el de la " * 400
    assert found(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        "Please cancel, found another for 1/2 the price.",
        "I can only give it 1/2 hour a week",
        "3/4 of the class is over my head",
        "9/10 of the time nobody answers",
        "2/10 would not recommend",
        "I'd give it 2/10",
        "4/5 stars, but too dear",
        "1 1/2 hours is too long",
        "it's 50/50 whether we stay",
        "encontré otro a 1/2 precio",
        "solo usé 1/2 de las clases",
        "le doy un 2/10",
        "tardaron casi 1/2 hora",
        "3/4 partes del tiempo no contestan",
        "1/2 a day is all I have",
    ],
)
def test_a_share_and_a_mark_are_no_days(text: str):
    assert found(text) == ()


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("cancel 1/2 please", date(2027, 1, 2)),
        ("cancel my class on 3/4", date(2027, 3, 4)),
        ("cancel the 2/14 dinner", date(2027, 2, 14)),
        ("cancelo la clase del 1/2 a las 5", date(2027, 1, 2)),
        ("3/10 would be better", date(2027, 3, 10)),
    ],
)
def test_figures_that_could_be_a_share_are_a_day_where_nothing_is_shared(text: str, day: date):
    assert [each.day for each in found(text, sent=NOVEMBER)] == [day]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Call me in a couple of months.", date(2027, 1, 24)),
        ("Try me again in a couple months.", date(2027, 1, 24)),
        ("Try me again in a few weeks.", date(2026, 12, 15)),
        ("Ping me in several months.", date(2027, 3, 24)),
        ("Get in touch in 6-8 weeks.", date(2027, 1, 19)),
        ("Get in touch in six to eight weeks.", date(2027, 1, 19)),
        ("Ping me in a month or two.", date(2027, 1, 24)),
        ("Ping me in a year or two.", date(2027, 11, 24)),
        ("Get back to me in half a year.", date(2027, 5, 24)),
        ("Call me in a year and a half.", date(2028, 5, 24)),
        ("Check back a few months down the line.", date(2027, 2, 24)),
        ("Tengo que cancelar por trabajo, llámame en un par de meses.", date(2027, 1, 24)),
        ("Escríbeme dentro de seis u ocho semanas.", date(2027, 1, 19)),
        ("Hablamos en un par de semanas.", date(2026, 12, 8)),
        ("Avísame en unas semanas.", date(2026, 12, 15)),
        ("Llámame en uno o dos meses.", date(2027, 1, 24)),
        ("Avísame en medio año.", date(2027, 5, 24)),
        ("Escríbeme de aquí a unos meses.", date(2027, 2, 24)),
    ],
)
def test_a_rough_time_is_never_earlier_than_the_customer_meant(text: str, day: date):
    assert [(each.day, each.kind) for each in found(text, sent=NOVEMBER)] == [(day, DateKind.RETURN)]


def test_a_span_of_numbers_is_not_read_into_a_number_in_words():
    assert [each.text for each in found("call me in twenty-one days", sent=NOVEMBER)] == []


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("move it to next week Wednesday", [date(2026, 12, 2)]),
        ("could we do Wednesday of next week", [date(2026, 12, 2)]),
        ("could we do Thursday next week", [date(2026, 12, 3)]),
        ("move next week's Wednesday class", [date(2026, 12, 2)]),
        ("next week on Thursday or Friday", [date(2026, 12, 3), date(2026, 12, 4)]),
        ("Wednesday or Thursday of next week", [date(2026, 12, 2), date(2026, 12, 3)]),
        ("Friday of the week after next", [date(2026, 12, 11)]),
        ("Wednesday in two weeks", [date(2026, 12, 9)]),
        ("Friday this week", [date(2026, 11, 27)]),
        ("la otra semana, martes o miércoles", [date(2026, 12, 1), date(2026, 12, 2)]),
        ("el miércoles de la semana que viene", [date(2026, 12, 2)]),
        ("la semana que viene, el miércoles", [date(2026, 12, 2)]),
        ("la próxima semana el jueves", [date(2026, 12, 3)]),
        ("el viernes de la semana pasada", [date(2026, 11, 20)]),
    ],
)
def test_a_weekday_is_of_the_week_that_is_named_with_it(text: str, days: list[date]):
    assert [each.day for each in found(text, Intent.RESCHEDULE, sent=NOVEMBER)] == days


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("move Wednesday to next week", [date(2026, 11, 25), date(2026, 11, 30)]),
        ("not Thursday and next week Tuesday neither", [date(2026, 11, 26), date(2026, 12, 1)]),
        ("I am away next week, Thursday would work", [date(2026, 11, 30), date(2026, 11, 26)]),
    ],
)
def test_a_weekday_beside_a_week_is_not_always_of_it(text: str, days: list[date]):
    assert [each.day for each in found(text, Intent.RESCHEDULE, sent=NOVEMBER)] == days


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("a week from Thursday", date(2026, 12, 3)),
        ("two weeks from Friday", date(2026, 12, 11)),
        ("a week today", date(2026, 12, 1)),
        ("two weeks from tomorrow", date(2026, 12, 9)),
    ],
)
def test_weeks_are_counted_from_the_day_that_is_named(text: str, day: date):
    assert [each.day for each in found(text, Intent.RESCHEDULE, sent=NOVEMBER)] == [day]


def test_a_weekday_that_is_read_in_two_ways_is_left_out():
    assert found("the Wednesday after next", Intent.RESCHEDULE, sent=NOVEMBER) == ()


def test_the_week_after_next_is_not_the_next_one():
    assert found("call me the week after next", sent=NOVEMBER)[0].day == date(2026, 12, 7)


@pytest.mark.parametrize(
    ("text", "sent", "day"),
    [
        ("Talk to me when the kids are back at school.", NOVEMBER, date(2027, 9, 1)),
        ("Talk to me when the kids are back at school.", datetime(2026, 12, 15, tzinfo=UTC), date(2027, 1, 8)),
        ("Llámame cuando empiecen las clases.", NOVEMBER, date(2027, 9, 1)),
        ("Llámame más adelante, en agosto.", NOVEMBER, date(2027, 8, 1)),
        ("Call me in August.", NOVEMBER, date(2027, 8, 1)),
        ("Write to me on October 3.", NOVEMBER, date(2027, 10, 3)),
        ("Write to me the first of February.", NOVEMBER, date(2027, 2, 1)),
        ("Check back with me in November.", NOVEMBER, date(2027, 11, 1)),
        ("Check back with me in November.", datetime(2026, 11, 3, tzinfo=UTC), date(2026, 11, 15)),
        ("Talk to me in Q4.", NOVEMBER, date(2027, 10, 1)),
    ],
)
def test_a_day_on_which_somebody_wants_to_hear_from_us_lies_ahead(text: str, sent: datetime, day: date):
    gone = lambda features: {DateKind.MENTIONED: 0.6, DateKind.PAST: 0.4}  # noqa: E731
    assert [(each.day, each.kind) for each in found(text, sent=sent, learnt=gone)] == [(day, DateKind.RETURN)]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("cancel the class of the tenth of December", date(2026, 12, 10)),
        ("cancel the class of the twenty-first of December", date(2026, 12, 21)),
        ("la clase del quince de enero", date(2027, 1, 15)),
        ("el primer lunes de febrero", date(2027, 2, 1)),
        ("the last Friday in January", date(2027, 1, 29)),
        ("in the second half of January", date(2027, 1, 16)),
        ("la segunda quincena de enero", date(2027, 1, 16)),
        ("the 3rd week of January", date(2027, 1, 15)),
        ("in March next year", date(2027, 3, 1)),
        ("en diciembre del año que viene", date(2027, 12, 1)),
        ("on 15 December next year", date(2027, 12, 15)),
        ("in Q2 of next year", date(2027, 4, 1)),
        ("in spring of next year", date(2027, 3, 1)),
    ],
)
def test_days_are_spelt_out_and_years_are_told_by_words(text: str, day: date):
    assert [each.day for each in found(text, sent=NOVEMBER)] == [day]


@pytest.mark.parametrize(
    ("text", "sent", "day"),
    [
        ("We can't do it now. Maybe next summer!", datetime(2027, 5, 3, tzinfo=UTC), date(2028, 6, 1)),
        ("Maybe next summer!", datetime(2027, 7, 3, tzinfo=UTC), date(2028, 6, 1)),
        ("Quizás el próximo verano.", datetime(2027, 5, 3, tzinfo=UTC), date(2027, 6, 1)),
        ("El verano que viene volvemos.", datetime(2027, 5, 3, tzinfo=UTC), date(2027, 6, 1)),
        ("Ask again next fall.", NOVEMBER, date(2027, 9, 1)),
        ("Ask again next spring.", NOVEMBER, date(2027, 3, 1)),
        ("Ask again next winter.", NOVEMBER, date(2027, 12, 1)),
        ("Quizás el próximo otoño.", NOVEMBER, date(2027, 9, 1)),
        ("Ask me again in late spring.", NOVEMBER, date(2027, 5, 1)),
        ("Ask me again at the end of the summer.", NOVEMBER, date(2027, 9, 1)),
        ("Talk to me in H2.", NOVEMBER, date(2027, 7, 1)),
        ("Talk to me in the second half of next year.", NOVEMBER, date(2027, 7, 1)),
        ("Talk to me in the second quarter of next year.", NOVEMBER, date(2027, 4, 1)),
        ("Hablamos en la segunda mitad del año que viene.", NOVEMBER, date(2027, 7, 1)),
        ("Hablamos a mediados del año que viene.", NOVEMBER, date(2027, 7, 2)),
        ("Talk to me in Q2.", NOVEMBER, date(2027, 4, 1)),
        ("Talk to me in late 2027.", NOVEMBER, date(2027, 9, 1)),
    ],
)
def test_a_season_or_a_part_of_a_year_is_the_one_that_is_meant(text: str, sent: datetime, day: date):
    assert [(each.day, each.kind) for each in found(text, sent=sent)] == [(day, DateKind.RETURN)]


def test_a_feast_that_money_has_not_been_coming_in_since_is_over():
    assert found("There has been no money coming in since Labor Day.", sent=NOVEMBER)[0].day == date(2026, 9, 7)


def test_next_summer_comes_after_this_summer():
    said = found("We can't this summer. Maybe next summer!", sent=datetime(2027, 5, 3, tzinfo=UTC))
    assert [each.day for each in said] == [date(2027, 6, 1), date(2028, 6, 1)]
    dicho = found("Este verano no podemos. Quizás el próximo verano.", sent=datetime(2027, 5, 3, tzinfo=UTC))
    assert [each.day for each in dicho] == [date(2027, 6, 1), date(2028, 6, 1)]


@pytest.mark.parametrize(
    "text",
    [
        "Write to me on Jan 15th.",
        "You can write to me on Jan 15th.",
        "Let's talk after the 15th.",
        "Check back on the 5th of January.",
        "Follow up with me January 20.",
        "Drop me a line in the new year.",
        "Feel free to reach out again after the new year.",
        "In March, call me.",
        "Don't call me before March.",
        "I don't want to hear from anyone until March.",
        "Please do not contact me again until the summer.",
        "No calls before February please.",
        "I would love it if you reached out in the spring.",
        "Me gustaría que me llamaran en febrero.",
        "Podemos hablar en febrero.",
        "Recuérdamelo en abril.",
        "No hace falta que me escriban hasta el año que viene.",
        "Escríbanme a mediados de enero.",
        "A mediados de enero me escribes otra vez.",
        "Hablemos después del 15.",
        "Dame un toque en febrero.",
        "En enero hablamos.",
        "No me llames hasta febrero.",
        "No me contacten antes de marzo.",
        "No me llamen antes de que empiecen las clases.",
    ],
)
def test_a_plain_wish_for_contact_needs_no_learning(text: str):
    [each] = found(text, sent=NOVEMBER, learnt=lambda features: {DateKind.CANCELLED: 1.0})
    assert each.kind is DateKind.RETURN


def test_a_wish_for_contact_is_one_of_both_months():
    days = found("Call me in January or February.", sent=NOVEMBER, learnt=lambda features: {DateKind.CANCELLED: 1.0})
    assert [each.kind for each in days] == [DateKind.RETURN, DateKind.RETURN]


@pytest.mark.parametrize(
    "text",
    [
        "I asked you to call me in December.",
        "You promised to write to me on Friday.",
        "Don't call me on Friday.",
        "I'll call you on Friday.",
        "Never call me on Sunday again.",
        "There is nothing to talk about on Friday.",
        "Drop me from the 12th.",
        "Quedaron en llamarme el lunes.",
        "Nadie me llama el lunes.",
        "Para el mes entrante ya hablamos con otra señora.",
    ],
)
def test_a_tale_and_a_refusal_are_no_wish_for_contact(text: str):
    said = found(text, sent=NOVEMBER, learnt=lambda features: {DateKind.MENTIONED: 1.0})
    assert [each.kind for each in said] == [DateKind.MENTIONED]


def test_the_day_before_a_wish_for_contact_is_not_its_day():
    days = found("Cancel the lesson on Friday, call me in January.", sent=NOVEMBER)
    assert [each.kind for each in days] == [DateKind.CANCELLED, DateKind.RETURN]


@pytest.mark.parametrize(
    ("text", "country", "day"),
    [
        ("I haven't been there since Thanksgiving", "CA", date(2025, 10, 13)),
        ("I haven't been there since Thanksgiving", "US", date(2025, 11, 27)),
        ("la comida del día del padre", "ES", date(2026, 3, 19)),
        ("la comida del día del padre", "MX", date(2026, 6, 21)),
        ("the table for Father's Day", "AU", date(2026, 9, 6)),
    ],
)
def test_a_feast_falls_on_the_day_of_the_country(text: str, country: str, day: date):
    assert [each.day for each in found(text, country=country)] == [day]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("we have family in Memorial Day weekend", date(2026, 5, 23)),
        ("cancel Easter weekend", date(2026, 4, 4)),
        ("nothing until after Labor Day weekend", date(2026, 9, 8)),
        ("our summer weekend", date(2026, 6, 1)),
    ],
)
def test_the_weekend_of_a_feast_begins_on_the_saturday_next_to_it(text: str, day: date):
    assert [each.day for each in found(text)] == [day]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("we'd like it within fourteen days", date(2026, 3, 24)),
        ("en dieciocho días", date(2026, 3, 28)),
        ("in ninety days", date(2026, 6, 8)),
        ("the cleaning of the day 28", date(2026, 3, 28)),
        ("lo hablamos este weekend", date(2026, 3, 14)),
        ("ya es martes y sigue igual", date(2026, 3, 10)),
        ("today is Tuesday", date(2026, 3, 10)),
        ("now it is Tuesday and I still have nothing", date(2026, 3, 10)),
        ("we were there the weekend before last", date(2026, 2, 28)),
        ("a partir de finales de mes", date(2026, 3, 25)),
        ("late this week", date(2026, 3, 13)),
        ("gotta cancel thursdays lesson", date(2026, 3, 12)),
        ("early next wk", date(2026, 3, 16)),
        ("no milk from 1st onwards", date(2026, 4, 1)),
        ("el 4 de set no puedo", date(2026, 9, 4)),
        ("from Monday - Wednesday we're away", date(2026, 3, 16)),
    ],
)
def test_numbers_in_words_and_the_day_that_it_is_are_read(text: str, day: date):
    assert found(text)[0].day == day


@pytest.mark.parametrize(
    "text",
    [
        "happy new year, Helen",
        "feliz año nuevo",
        "open Tues-Sat",
        "Monday - Friday, 7 to 6",
        "my daughter calls of a Sunday",
        "I train on thursdays",
        "turn in from 9th street",
        "the SAT camp",
        "lo pide el SAT con mi RFC",
        "3/4 set 12 at 8.50",
    ],
)
def test_greetings_opening_hours_habits_and_tests_name_no_day(text: str):
    assert found(text) == ()
