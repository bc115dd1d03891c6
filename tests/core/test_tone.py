"""What may not be said to a customer, in both languages; and what sounds alike and may."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.core import compose, tone
from pipeline.core.records import Address, Business, Kind

BUSINESS = Business(
    name="Discount Tire & Fee-Free Gym",
    sender=Address(name="Dana Reyes", address="dana@bluedoor.example"),
    address="1 Blue Street, Springfield",
    reschedule_url="https://bluedoor.example/book?x=1",
)
ACKNOWLEDGMENT, FOLLOW_UP = Kind.ACKNOWLEDGMENT, Kind.FOLLOW_UP


def said(text: str, kind: Kind = ACKNOWLEDGMENT, *, sensitive: bool = False, subject: str = "Your message") -> list[str]:
    body = text + compose.footer("en", BUSINESS) if kind is FOLLOW_UP else text
    return [fault.says for fault in tone.faults(subject, body, kind, sensitive=sensitive, business=BUSINESS)]


CLAIM = "it claims what nobody has confirmed yet (B2)"
OFFER = "an acknowledgment offers nothing (B1)"
GUILT = "it makes the customer feel guilty (S0.1)"
BLAME = "it blames the customer (S0.1)"
ARGUES = "it argues (S0.1)"
PRESSES = "it presses the customer (B5, S4.6)"
HARSH = "it speaks harshly (S0.1)"
SHOUTS = "it shouts (S0.1)"
UNFILLED = "something in it was not filled in"
QUESTIONS = "it asks more than one question (B1)"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Hi {{ name }},", UNFILLED),
        ("Dear None,", UNFILLED),
        ("Dear [Your name here],", UNFILLED),
        ("Hola, [nombre]:", UNFILLED),
        ("Your booking is cancelled.", CLAIM),
        ("I have cancelled it.", CLAIM),
        ("Your plan has been canceled.", CLAIM),
        ("You won't be charged.", CLAIM),
        ("Su reserva queda anulada.", CLAIM),
        ("Hemos cancelado su cita.", CLAIM),
        ("Ya se ha dado de baja: ha sido dada de baja.", CLAIM),
        ("Stay and get a 10% discount.", OFFER),
        ("We have a special offer for you.", OFFER),
        ("Come back for a free month.", OFFER),
        ("Le ofrecemos un descuento.", OFFER),
        ("Tenemos una promoción para ti.", OFFER),
        ("La próxima clase es gratis.", OFFER),
        ("After all we have done for you!", GUILT),
        ("We are very disappointed.", GUILT),
        ("You let us down.", GUILT),
        ("We had turned others away for you, and that cost us money.", GUILT),
        ("What a shame.", GUILT),
        ("Después de todo lo que hicimos.", GUILT),
        ("Nos has fallado.", GUILT),
        ("Nos dejó plantados.", GUILT),
        ("¡Qué lástima!", GUILT),
        ("It was your own fault.", BLAME),
        ("You should have told us.", BLAME),
        ("You could at least have called.", BLAME),
        ("You didn't show up.", BLAME),
        ("Fue culpa suya, es su culpa.", BLAME),
        ("Debería haber llamado.", BLAME),
        ("No se presentó a la cita.", BLAME),
        ("That is not true.", ARGUES),
        ("You are mistaken.", ARGUES),
        ("As you know, you signed it.", ARGUES),
        ("Eso no es cierto.", ARGUES),
        ("Te equivocas.", ARGUES),
        ("Cálmese, por favor.", ARGUES),
        ("Act now.", PRESSES),
        ("This is your last chance.", PRESSES),
        ("Hurry and book.", PRESSES),
        ("Are you really sure", PRESSES),
        ("Please reconsider.", PRESSES),
        ("Es su última oportunidad.", PRESSES),
        ("Dese prisa.", PRESSES),
        ("Debes responder hoy.", PRESSES),
        ("¿Está segura?", PRESSES),
        ("Unfortunately, no.", HARSH),
        ("That is unacceptable.", HARSH),
        ("Lamentablemente no.", HARSH),
        ("Thank you!!", SHOUTS),
        ("PLEASE ANSWER soon", SHOUTS),
        ("Why? And when?", QUESTIONS),
        ("¿Por qué? ¿Y cuándo?", QUESTIONS),
    ],
)
def test_a_text_that_breaks_a_rule_is_named_with_it(text: str, fault: str):
    assert fault in said(text)


@pytest.mark.parametrize(
    "text",
    [
        "There is no hurry at all.",
        "At present you could have one of these times.",
        "I ask so that we learn, not to change your mind.",
        "I am sorry that we let you down.",
        "Siento que le hayamos fallado.",
        "There is nothing more you need to do.",
        "No tiene que hacer nada más.",
        "None of this is needed.",
        "Thank you for letting us know that you were cancelling.",
        "Disculpe las molestias.",
        "Here you can see what is free: https://bluedoor.example/book?x=1",
        "What made you decide? https://other.example/?a=1&b=2",
        "Here you can see it: https://bluedoor.example/book?x=1. Which day would you like?",
        "Yours, Dana, Discount Tire & Fee-Free Gym",
        "> You let us down!! It is cancelled, refunded? Really?\nThank you.",
        "Thank you.\n\nOn 20 November 2026, JOSE PEREZ GRATIS wrote:\n> It is cancelled!!\n>\n> Why? Why?",
    ],
)
def test_a_kind_text_passes(text: str):
    assert said(text) == []


def test_an_empty_text_is_refused():
    assert said(" \n\n> quoted") == ["it is empty"]


def test_a_subject_is_read_as_well():
    assert said("Hello.", subject="Last chance") == [PRESSES]


def test_a_follow_up_may_offer():
    assert said("We have a 10% discount. Would you like it?", FOLLOW_UP) == []


MONEY = "to people in trouble there is no word of money (B7)"
SUM = "to people in trouble there is no sum of money (B7)"


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("There is no fee.", [MONEY]),
        ("The deposit can wait.", [MONEY]),
        ("Nuestra política no se aplica.", [MONEY]),
        ("No le cobramos nada: el importe queda pendiente.", [MONEY]),
        ("It comes to $50.", [SUM]),
        ("Son 50 €.", [SUM]),
        ("Please don't worry about anything here.", []),
        ("Yo me hago cargo de todo.", []),
    ],
)
def test_nobody_in_trouble_reads_of_money(text: str, faults: list[str]):
    assert said(text, sensitive=True) == faults
    assert said(text) == []


def test_the_words_that_show_it_are_told_as_they_stand():
    (fault,) = tone.faults("", "Le damos una promoción.", ACKNOWLEDGMENT, sensitive=False, business=BUSINESS)
    assert str(fault) == 'an acknowledgment offers nothing (B1): "promoción"'


FOOTER = compose.footer("en", BUSINESS)


@pytest.mark.parametrize(
    ("body", "begins"),
    [
        ("Hello." + FOOTER.replace("1 Blue Street, Springfield", ""), "a follow-up carries your postal address"),
        ("Hello." + FOOTER.replace('"stop"', "something"), "a follow-up says how to end it"),
        ("Hello.", "a follow-up carries your postal address"),
    ],
)
def test_a_follow_up_never_goes_without_address_and_opt_out(body: str, begins: str):
    found = tone.faults("", body, FOLLOW_UP, sensitive=False, business=BUSINESS)
    assert found[0].says.startswith(begins)
    assert all(fault.binding for fault in found)


@pytest.mark.parametrize(
    "footer",
    [
        FOOTER.replace("Street, Springfield", "Street,\nSpringfield"),
        "\n1 Blue Street, Springfield\nReply “stop” to end this.",
        "\n1 Blue Street, Springfield\nResponda «baja».",
        "\n1 Blue Street, Springfield\nTo unsubscribe, tell me.",
    ],
)
def test_how_a_rep_words_and_breaks_these_lines_is_free(footer: str):
    assert tone.faults("", f"Hello.{footer}", FOLLOW_UP, sensitive=False, business=BUSINESS) == ()


def test_a_business_without_an_address_is_told_where_to_say_it():
    homeless = replace(BUSINESS, address="")
    found = tone.faults("", "Hello." + compose.footer("en", homeless), FOLLOW_UP, sensitive=False, business=homeless)
    assert [fault.says for fault in found] == [
        "a follow-up needs your postal address (B5): say it under business.address in config.yaml"
    ]
