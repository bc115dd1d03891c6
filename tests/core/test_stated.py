from __future__ import annotations

import unicodedata

import pytest

from pipeline.core.stated import calls_off


def said(text: str) -> bool:
    plain = "".join(unicodedata.normalize("NFD", letter)[0] for letter in text.lower())
    return calls_off(text, plain)


@pytest.mark.parametrize(
    "text",
    [
        "Twice nobody was there. I'm cancelling my remaining three sessions. I liked the studio.",
        "I cancel my contract with immediate effect. You will hear from my lawyer.",
        "I have to cancel my appointment this Thursday at 3pm, I'm being sent to Chicago for work all week.",
        "We have decided to terminate the agreement; thank you.".replace("agreement", "contract"),
        "Hello, please cancel my order 4711. Regards",
        "This is to inform you that we hereby cancel. Please accept this as cancellation of my membership.",
        "Buenas tardes. Quiero darme de baja del gimnasio.",
        "Por favor cancelen mi cita del jueves, gracias.",
        "Hola, anulo la reserva del sábado. Un saludo",
        "Mi gestora lo rehace todo a mano. Dadme de baja el plan Pyme al acabar el periodo.",
        "Le tengo que cancelar lo del martes, a mi papá lo operan.",
        "Ya vendí el coche, así que cancelen la cita del lunes.",
        "La caja llegó rota otra vez, dejo el servicio.",
        "This is to end our weekly service. I have told your crew lead three times.",
        "Good morning, this note is to cancel my order.",
        "I am done. Cancel the liability insurance.",
        "Gracias por el presupuesto. Hemos decidido no aceptarlo por ahora.",
        "Kindly take me off the books for October 1. Regards to Jean.",
        "The dog is fine. Please give our Thursday slot to somebody else.",
        "The cat has settled in, so stop our weekly visits. She likes me better.",
        "It was a good year. Friday will be my last lesson.",
        "Many thanks, but we have to decline your quote.",
        "We won't be renewing. The team has moved on.",
        "All flights are scrubbed. Kill the 9:40 pickup.",
        "They're doing it on the 24th. So Thursday is off, I'm afraid.",
        "I'm so sorry but Alfie will have to stop his lessons from half term.",
        "Daycare just called. There goes my massage.",
        "Could be worse. Take us off the Thursday round from 1 October.",
        "Dad died on Sunday. There will of course be no ruby wedding party.",
        "She shakes when the hoover goes on. She'll not be in again.",
        "Solicito que mi contrato quede resuelto desde hoy.",
        "Nos mudamos, ya no vamos a necesitar las clases.",
        "I'M DONE. CANCEL MY WEEKLY SERVICE AND DON'T YOU DARE CHARGE MY CARD AGAIN.",
        "It was due on Friday. I withdraw the order 4711 herewith. The broker makes it himself now.",
        "One clinic does it for less. Kindly treat the Tuesday slot on the 3rd as vacated.",
        "Vendimos el coche; den por terminado el contrato.",
        "He came late twice. We don't want to continue with the service.",
        "Thank you for the quote. I've decided not to go ahead.",
        "It was a lovely year. We're not renewing.",
        "El técnico fue muy grosero. No queremos seguir con el servicio.",
        "Gracias por el aviso. No renovaremos.",
        "Todo bien, pero hemos decidido prescindir de la limpieza.",
        "This is my fourth message. Consider the contract terminated.",
        "Si no me devuelven la señal voy a consumo. Queda anulado el pedido.",
        "Todo muy lindo. Les comunico que anulamos el alquiler del salón que teníamos para el sábado.",
        "Lo hablamos con mi papá y tomamos la decisión de terminar el contrato.",
        "Buenas, les escribo para que me den de baja la cuota del gym.",
        "Con la última factura damos por finalizada la colaboración.",
        "La cita del 3 de octubre désela a alguien que aguante groserías.",
        "No llego ni loca, denle mi hora a otra persona.",
        "Después de lo del sábado no vuelvo a poner un pie ahí.",
        "I've left the fob next door. I won't be there tonight or after that.",
        "The June dozen was nice. That is to be the last delivery.",
        "Quick one. Take me off Friday please.",
        "Pls stop my tiffin with immediate effect and adjust the balance to my gpay number.",
        "My wife wants to cancel her membership.",
        "I would like to cancel my membership because your price is great but I have no time at all this year.",
        "can u pls cancel tmrw?my kid puked all night",
        "Could you please cancel my booking for Saturday?",
        "¿Pueden cancelar mi cita del jueves?",
    ],
)
def test_a_plain_statement_is_heard_whatever_stands_around_it(text: str):
    assert said(text)


@pytest.mark.parametrize(
    "text",
    [
        "If it goes up again I will cancel my plan.",
        "Can I cancel my plan later on?",
        "Please don't cancel my order.",
        "I wanted to cancel my order yesterday, but it is fine.",
        "I have to cancel my appointment. No wait, I can come after all.",
        'She wrote: "I want to cancel my membership". What do I do?',
        "> Please cancel my order",
        "Please cancel invoice 310 and issue a new one.",
        "Quiero cancelar mi deuda el viernes.",
        "Mi cliente canceló la visita de las 4.",
        "No cancelen mi cita, por favor.",
        "Cancel the timer.",
        "Cierren el ticket, ya funciona.",
        "Please stop the job alerts.",
        "Thanks for telling me tomorrow's off.",
        "Is Thursday off?",
        "I don't need the slot held.",
        "We won't be needing dinner on the first night.",
        "If it rains we won't be going ahead.",
        "No vamos a renovar si suben otra vez.",
        "Quiero cancelar lo que le debo.",
        "Cancel my 6am alarm",
        "Cancel my order if it has not left the shop.",
        "We do not want to continue if the price goes up.",
        "Why would you think that we're not renewing?",
        "No queremos seguir si vuelven a subir.",
        "Dijo: «no renovaremos nunca»",
        "We have to withdraw the chairs from your October order.",
        'He wrote it well: "After nineteen seasons I stop. I hereby cancel my contract. Yours, Clive"',
        "I want to cancel my cancellation.",
        "Please cancel my cancellation request.",
        "Please cancel the second charge on my card.",
        "Quiero cancelar mi pedido contra entrega",
        "Cancelo mi cita. Bueno no, déjala, voy a poder.",
        "Can you cancel my order if it has not shipped?",
        "No quiero cancelar, just move it.",
        "Could you please cancel my invoice and reissue it?",
        "Con esto queda cancelada la primera cuota.",
        "Solicito que me den de baja de la lista de correos.",
        "Les aviso que anulamos el alquiler de junio con la transferencia de hoy.",
        "¿Le puedo dar mi hora a otra persona?",
    ],
)
def test_what_only_sounds_like_one_is_not(text: str):
    assert not said(text)
