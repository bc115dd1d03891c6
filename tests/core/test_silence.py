"""Who asks not to be written to, and who only seems to."""

from __future__ import annotations

import pytest

from pipeline.core.folded import fold
from pipeline.core.silence import is_asked_for


def asks(text: str, likely: float) -> bool:
    return is_asked_for(fold(text), likely)


@pytest.mark.parametrize(
    "text",
    [
        "Please stop sending me e-mails.",
        "Take me off your mailing list, please.",
        "Do not contact me again.",
        "I cancel. No more emails.",
        "No me manden más correos, por favor.",
        "Bórrenme de su lista.",
        "No quiero recibir más publicidad.",
        "Please stop following up.",
        "Cross this bakery off your call sheet for good.",
        "I'd be obliged if this could be the last of our correspondence.",
        "I'd be glad if this was the last one of these I get.",
        "No need for anybody to call us about it.",
        "They've got the job. No need to give us another bell about it.",
        "There's no need to chase me, I'll come to you.",
        "Le agradeceré que mi nombre no vuelva a figurar entre sus destinatarios.",
    ],
)
def test_an_opt_out_is_heard_in_any_wording(text: str):
    assert asks(text, 0.1)


@pytest.mark.parametrize(
    "text",
    [
        "We must stop this bill at once.",
        "Please don't call me before nine, I work nights.",
        "Stop the delivery, we are away.",
        "I work nights so please no phone calls before eleven.",
        "Don't write me off as a no-show.",
        "New blades are in. Don't want these? Unsubscribe.",
        "You bought from us once. Unsubscribe: https://blades.example/u",
        "You get this because you are a member of the guild. Preferences or unsubscribe",
        "Too many of these emails? Unsubscribe or cancel your free subscription at any time.",
        "Sent to members and friends. Change your preferences or unsubscribe with one click.",
        "No need to call me back, just email.",
        "No need to ring, we'll talk at the lesson.",
        "Cancela la cita, por favor, mándame el correo de confirmación.",
    ],
)
def test_an_opt_out_is_not_heard_where_there_is_none(text: str):
    assert not asks(text, 0.1)


@pytest.mark.parametrize(
    "text",
    [
        "We must stop this bill from going up again, can you call me about it?",
        "You never call me back. Please ring me on 555 0142.",
        "I have not been getting emails from you. No reminder, no newsletter.",
        "No me escriban por WhatsApp, prefiero el correo.",
        "No me llame al fijo, escríbame aquí.",
        "Please do not contact me at work. Use this address.",
        "I don't want to hear from anyone until February 15.",
        "Please don't e-mail me again at work. We're off to Portugal, so best to write me after Feb 9.",
        "Mejor por correo que por teléfono: no me llamen más.",
    ],
)
def test_who_says_how_to_be_reached_asks_for_no_silence_however_sure_the_model_is(text: str):
    assert not asks(text, 0.99)


@pytest.mark.parametrize("text", ["Do not call me if I don't come.", "No me escriban ni me llamen más."])
def test_who_forbids_what_others_ask_for_does_ask_for_silence(text: str):
    assert asks(text, 0.99)


def test_an_opt_out_that_the_model_is_sure_of_needs_no_telling_words():
    assert asks("Forget that you ever knew me.", 0.8)


@pytest.mark.parametrize(
    "text",
    [
        "unsubscribe pls, three a day is nuts. Still coming to class!",
        "Please unsubscribe me.",
        "Take me off your mailing list, but keep my Tuesday class.",
        "The class is great. Please stop emailing me though.",
        "Never call me again.",
        "No me escriban más, gracias.",
        "Por favor dejen de llamarme.",
        "Dadme de baja del boletín; la clase sigue.",
    ],
)
def test_plain_words_are_an_opt_out_whatever_the_model_thinks(text: str):
    assert asks(text, 0.0)


@pytest.mark.parametrize(
    "text",
    [
        "Please unsubscribe me from the premium plan.",
        "No me manden más cajas.",
        "Could you send a new one so the office will stop emailing me?",
        "Don't call me again before nine.",
        "New blades are in. Don't want these? Unsubscribe.",
        "Wednesday's bulletin.\nUnsubscribe",
        "No me llamen más al fijo.",
        "My old office will stop calling me now that I have moved.",
        "Ya no sé qué hacer para que el perro deje de molestarnos.",
    ],
)
def test_what_only_sounds_like_plain_words_is_none_by_itself(text: str):
    assert not asks(text, 0.0)
