from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pipeline.core.records import (
    Address,
    Business,
    Calendar,
    Intent,
    Message,
    Reason,
    Rules,
    Scores,
    Sensitive,
    Span,
    Verdict,
)
from pipeline.core.understand import SEEN, for_model, question_in, understand

NOW = datetime(2026, 3, 10, 15, tzinfo=UTC)
RULES = Rules(business=Business(name="Bluedoor", sender=Address(address="dana@bluedoor.example")))


def message(text: str = "Please cancel my appointment, it is too expensive.", subject: str = "") -> Message:
    return Message(key="m1", text=text, subject=subject, arrived=NOW)


def scores(
    cancel: float = 0.9, reschedule: float = 0.04, reason: Reason = Reason.PRICE, sure: float = 0.8, **others: object
) -> Scores:
    rest = (1 - sure) / (len(Reason) - 1)
    said = Scores(
        intent={Intent.CANCEL: cancel, Intent.RESCHEDULE: reschedule, Intent.NONE: 1 - cancel - reschedule},
        reason={each: sure if each is reason else rest for each in Reason},
        subreason={"budget": 0.7, "none": 0.2, "late": 0.1},
        sensitive={"none": 0.97, "anger": 0.03},
    )
    return replace(said, **others)


def read(text: str = "Please cancel my appointment, it is too expensive.", said: Scores | None = None, **more: str) -> Verdict:
    return understand(message(text, **more), said or scores(), RULES)


def test_the_model_sees_subject_and_new_words_up_to_a_limit():
    assert for_model(message("I'm out.", "My box")) == "My box\nI'm out."
    assert len(for_model(message("x" * 10_000))) == SEEN


def test_confidence_is_of_intent_and_reason_together():
    verdict = read("I would rather not go on, it is too much for our budget.")
    assert (verdict.intent, verdict.reason, verdict.subreason) == (Intent.CANCEL, Reason.PRICE, "budget")
    assert verdict.confidence == pytest.approx(0.72)
    assert verdict.intent_confidence == pytest.approx(0.9)


def test_what_is_no_cancellation_has_no_reason():
    verdict = read("See you tomorrow!", scores(cancel=0.05))
    assert (verdict.intent, verdict.reason, verdict.subreason, verdict.evidence) == (Intent.NONE, None, None, ())


def test_the_runner_up_is_the_second_best_reading():
    said = scores(cancel=0.6, reschedule=0.0, sure=0.5)
    assert read(said=said).runner_up == "none"
    assert read(said=scores(cancel=0.99, reschedule=0.0, sure=0.5)).runner_up is not None


@pytest.mark.parametrize(
    ("text", "price", "reason"),
    [
        ("Please cancel, it has become too expensive for me.", 0.3, Reason.PRICE),
        ("Please cancel, it has become too expensive for me.", 0.1, Reason.UNSPECIFIED),
        ("Please cancel. Thanks, Maria", 0.3, Reason.UNSPECIFIED),
    ],
)
def test_words_for_a_price_are_a_reason_where_the_model_hears_none_and_half_hears_it(text: str, price: float, reason: Reason):
    said = replace(scores(), reason={**dict.fromkeys(Reason, 0.0), Reason.UNSPECIFIED: 1 - price, Reason.PRICE: price})
    assert read(text, said).reason is reason


def test_a_sub_reason_must_go_with_the_reason():
    assert read(said=scores(reason=Reason.SERVICE)).subreason is None


@pytest.mark.parametrize(("cancel", "unsure"), [(0.9, False), (0.55, True), (0.42, True), (0.05, False)])
def test_an_intent_that_is_nearly_even_is_unsure(cancel: float, unsure: bool):
    assert read("I would rather not go on.", scores(cancel=cancel)).unsure is unsure


@pytest.mark.parametrize(
    "said",
    [
        "Dana, I'm cancelling my remaining three sessions. Nobody was there when I arrived.",
        "The studio is lovely. Please cancel my membership.",
        "Hola, quiero dar de baja mi bono, gracias por todo.",
    ],
)
def test_plain_words_for_a_cancellation_overrule_the_model_and_go_to_a_person(said: str):
    verdict = read(said, scores(cancel=0.02, reschedule=0.0))
    assert (verdict.intent, verdict.unsure) == (Intent.CANCEL, True)


@pytest.mark.parametrize(("likely", "sure"), [(0.02, 0.67), (0.3, 0.95), (0.7, 0.98), (0.995, 0.995)])
def test_what_is_said_in_so_many_words_is_as_sure_as_it_proved_to_be(likely: float, sure: float):
    verdict = read("We leave town. Please cancel my membership.", scores(cancel=likely, reschedule=0.0))
    assert verdict.intent_confidence == pytest.approx(sure)
    assert verdict.unsure is (likely < 0.5)


@pytest.mark.parametrize(
    "said", ["Can I cancel my plan later on?", "How do I cancel?", "Cancelé mi cita el lunes.", "Quiero cancelar mi deuda."]
)
def test_a_question_about_cancelling_or_a_debt_that_is_paid_is_no_plain_word(said: str):
    verdict = read(said, scores(cancel=0.2, reschedule=0.0))
    assert (verdict.intent, verdict.unsure) == (Intent.NONE, False)


def test_strange_text_is_unsure_unless_it_is_clearly_nothing():
    strange, nothing = replace(scores(), familiar=0.3), scores(cancel=0.01, reschedule=0.0)
    assert read(said=strange).unsure
    assert not read("So long.", replace(nothing, familiar=0.3)).unsure


@pytest.mark.parametrize(
    ("text", "familiar"),
    [
        ("Hiermit kündige ich meine Mitgliedschaft zum nächstmöglichen Zeitpunkt.", 0.6),
        ("Je souhaite résilier mon abonnement à partir du mois prochain.", 0.6),
        ("我想取消我的预约", 0.0),
    ],
)
def test_a_language_that_nobody_here_reads_is_for_a_person_however_sure_the_model_is(text: str, familiar: float):
    assert read(text, replace(scores(cancel=0.01, reschedule=0.0), familiar=familiar)).unsure


def test_that_it_is_nothing_must_be_surer_than_that_it_is_something():
    assert read("Hello there, you all.", scores(cancel=0.31, reschedule=0.0)).unsure
    assert not read("Hello there, you all.", scores(cancel=0.29, reschedule=0.0)).unsure


@pytest.mark.parametrize(
    "warning",
    [
        "It went up again. If it goes up once more I'll be leaving.",
        "One more missed visit and we're done.",
        "Si vuelven a subir la cuota me doy de baja.",
    ],
)
def test_who_only_warns_of_an_ending_ends_nothing_and_needs_a_person(warning: str):
    verdict = read(warning, scores(cancel=0.9))
    assert (verdict.intent, verdict.reason, verdict.unsure) == (Intent.NONE, None, True)
    assert read(f"{warning} Please cancel my membership now.", scores(cancel=0.9)).intent is Intent.CANCEL
    assert read(warning, scores(cancel=0.97)).intent is Intent.CANCEL


@pytest.mark.parametrize(
    "text",
    [
        "Still doing the books? We cancel the old subscription for you.\nYou receive this because you asked for our guide.",
        "Coated stock is up. The strike is called off.\nManage preferences | Unsubscribe",
        "Cancelamos su contrato de telefonía por usted.\nRecibe este correo porque es cliente de la feria.",
    ],
)
def test_what_is_sent_to_many_cancels_nothing_and_needs_a_person_if_it_sounds_so(text: str):
    verdict = read(text, scores(cancel=0.97))
    assert (verdict.intent, verdict.unsure) == (Intent.NONE, True)


def test_who_takes_a_cancellation_back_does_not_cancel():
    for text in ("I want to cancel my cancellation.", "Quiero anular la cancelación de ayer."):
        assert read(text, scores(cancel=0.99)).unsure


@pytest.mark.parametrize(
    ("text", "quoted", "unsure"),
    [
        ("See below, please action.", "From: Ann\n\nI have to cancel Friday.", True),
        ("Ver abajo, gracias", "De: Ana\n\nQuiero anular la cita.", True),
        ("See below, please action.", "From: Ann\n\nThe invoice is attached.", False),
        ("See below, it rained all day.", "From: Ann\n\nI have to cancel Friday.", False),
    ],
)
def test_who_only_points_at_a_cancellation_that_is_forwarded_needs_a_person(text: str, quoted: str, unsure: bool):
    mail = replace(message(text), quoted=quoted)
    assert understand(mail, scores(cancel=0.01, reschedule=0.0), RULES).unsure is unsure


def test_an_answer_that_asks_for_silence_gives_no_reason():
    asked = "What made you decide?"
    said = scores(cancel=0.2, reschedule=0.0, opt_out=0.9)
    assert understand(message("No me escriban más, por favor."), said, RULES, asked).intent is Intent.NONE
    assert understand(message("Too expensive."), replace(said, opt_out=0.0), RULES, asked).intent is Intent.CANCEL


def test_a_mail_without_words_is_unsure_only_when_its_subject_may_say_it():
    nothing = scores(cancel=0.1)
    assert read("", nothing, subject="Cancel my order").unsure
    assert read("", nothing, subject="Cancel my order").intent is Intent.NONE
    assert read("", scores(cancel=0.9), subject="Can't make it tomorrow").unsure
    assert not read("", nothing, subject="Invoice 12").unsure


@pytest.mark.parametrize(("method", "partstat"), [("CANCEL", ""), ("REPLY", "DECLINED")])
def test_a_called_off_calendar_entry_is_a_cancellation_whatever_the_words(method: str, partstat: str):
    mail = replace(message(""), calendar=Calendar(method=method, partstat=partstat))
    verdict = understand(mail, scores(cancel=0.02), RULES)
    assert (verdict.intent, verdict.reason, verdict.unsure) == (Intent.CANCEL, Reason.UNSPECIFIED, False)


def test_the_words_of_a_called_off_calendar_entry_may_give_the_reason():
    mail = replace(message("Too expensive for us, sorry."), calendar=Calendar(method="CANCEL"))
    assert understand(mail, scores(), RULES).reason is Reason.PRICE


def test_an_accepted_invitation_is_none_of_our_business():
    mail = replace(message("See you there"), calendar=Calendar(method="REPLY", partstat="ACCEPTED"))
    assert understand(mail, scores(cancel=0.02), RULES).intent is Intent.NONE


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Please cancel my appointment on Friday, thanks", "en"),
        ("Hola, quiero cancelar mi cita del viernes, gracias", "es"),
        ("no puedo ir mañana", "es"),
        ("sorry can't come", "en"),
        ("No longer interested", "en"),
        ("Cancel. No longer needed.", "en"),
        ("No time, cancel", "en"),
        ("cancel me", "en"),
        ("Demasiado caro", "es"),
    ],
)
def test_the_language_is_the_customers(text: str, language: str):
    assert read(text).language == language


def test_the_language_is_one_that_the_business_offers():
    english_only = replace(RULES, business=replace(RULES.business, languages=("en",)))
    assert understand(message("Hola, quiero cancelar mi cita"), scores(), english_only).language == "en"


def test_trouble_in_plain_words_is_grave_and_a_word_that_may_tell_of_it_delicate():
    calm = scores(sensitive={"none": 0.999, "anger": 0.001})
    grave, delicate = read("Please cancel, my father died.", calm), read("Please cancel, I am in the hospital.", calm)
    assert (grave.sensitive, grave.grave, grave.delicate) == (Sensitive.BEREAVEMENT, True, None)
    assert (delicate.sensitive, delicate.grave, delicate.delicate) == (None, False, "am in the hospital")
    nothing = scores(cancel=0.01, reschedule=0.0, sensitive={"none": 0.999, "anger": 0.001})
    assert read("See you, I am in the hospital.", nothing).delicate is None


def test_one_mail_may_cancel_ask_insist_and_opt_out():
    verdict = read("Cancel it. My decision is final. When do I get my money? And unsubscribe me.", scores(opt_out=0.2))
    assert (verdict.intent, verdict.question, verdict.firm, verdict.opt_out) == (Intent.CANCEL, True, True, True)


@pytest.mark.parametrize("said", ["STOP", "Please unsubscribe me, thank you!", "Por favor, denme de baja. Gracias"])
def test_the_word_that_our_footer_asks_for_is_an_opt_out_whatever_the_model_thinks(said: str):
    assert read(said, scores(opt_out=0.0)).opt_out


def test_the_evidence_is_the_customers_own_words():
    text = "Hi Dana,\nlovely weather. Please cancel my class. It has become too expensive for me.\nBest, Tom"
    verdict = read(text)
    assert verdict.evidence == (
        Span(text="Please cancel my class.", start=text.index("Please")),
        Span(text="It has become too expensive for me.", start=text.index("It has")),
    )
    assert all(text[span.start :].startswith(span.text) for span in verdict.evidence)


def test_the_evidence_may_stand_in_the_subject():
    verdict = read("See above. Thanks.", subject="Cancel my membership")
    assert verdict.evidence[0] == Span(text="Cancel my membership", start=-1)


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("Thanks.\n\nIf you feel like telling me: what made you decide?\n\nDana", "what made you decide?"),
        ("Si le apetece contármelo, ¿qué le hizo decidirse?\n\nUn saludo", "Si le apetece contármelo, ¿qué le hizo decidirse?"),
        ("Is it the price? Or the time?", "Or the time?"),
        ("Thanks.\n\n> Can I have my money back?", None),
        ("We will take care of it.", None),
        ("Really??", "Really?"),
        (None, None),
    ],
)
def test_our_question_is_found_in_what_we_sent(said: str | None, asked: str | None):
    assert question_in(said) == asked
