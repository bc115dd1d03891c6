"""Tell in which language a customer writes: by the small words of which every sentence is made, and by its signs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_SIGNS = re.compile(r"[ñ¿¡]|ción\b|[áéíóú]", re.IGNORECASE)

# Folded, and none of them is an everyday word of the other language ("no", "me", "son" and "van" are in neither list).
_SPANISH = frozenset(
    (
        "el la los las un una unos de del al y e o u en con por para que se lo le les te nos os su sus mi mis tu es"
        " esta estan estoy estamos estaba soy somos fue era ha he han hemos hay va voy vamos muy mas menos ya"
        " si ni sin pero como cuando donde quien porque pues asi tambien tampoco todavia aun desde hasta sobre entre"
        " ahora hoy ayer manana tarde noche dia dias semana mes meses ano anos lunes martes miercoles jueves viernes"
        " sabado domingo enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre hola"
        " buenas buenos gracias saludos favor usted ustedes yo ella nosotros esto eso este ese esa aqui ahi alli nada"
        " nadie todo toda todos todas otro otra algo alguien cada mismo misma tan tanto mucho mucha muchas poco vez"
        " veces mejor peor bien mal siempre nunca quiero quisiera queremos quiere puedo puede pueden podemos podre"
        " podria tengo tiene tienen tenemos tenia hago hace hacer hecho ir ser estar dar doy den deme dejo dejar dejen"
        " dice digo dijo saber aviso gusta necesito necesitamos prefiero demasiado caro cara caros barato precio"
        " dinero cita citas turno reserva pedido cuenta cuota clase clases factura baja cancelo cancelar cancelen"
        " cancele cancela canceladme anular anulo anulen anule llego llegar llamar llame llamame casa trabajo hijo"
        " hija madre padre marido senor senora estimado estimados atentamente despues antes luego entonces aunque"
        " mientras segun contra hacia cual cuales cuanto cuanta primero ultimo proximo proxima lado parte nuevo nueva"
    ).split()
)
_ENGLISH = frozenset(
    (
        "the and to you it i of we is be with your for not on my this that have one was there if our us by as what"
        " will but or are an at from so do does did can could would should just need needed want wanted please thanks"
        " thank hello hi hey dear how who why when where which then than they them he she her his him its their been"
        " being had has having get got getting go going come coming take taken make made let know think see say said"
        " tell told back about out up down off over into after before since until because while though now today"
        " tomorrow yesterday tonight week month year day days morning afternoon evening night monday tuesday wednesday"
        " thursday friday saturday sunday january february march april may june july august september october november"
        " december all any some more most much many very too also only even still again never always already else"
        " other another same first last next new old long longer little few lot good better best great sorry sincerely"
        " regards kind kindly cheers sir madam mr mrs nobody somebody someone anyone anything something nothing"
        " everything here home work time times money price expensive cheap cancel cancelled cancelling cancellation"
        " canceled appointment booking order membership interested found changed decided moving moved don't won't"
        " can't i'm i'll we're we'll isn't didn't ll ve re isn don won didn doesn wasn"
    ).split()
)
_FEWEST = 5  # words from which on a text in neither language can be told
_KNOWN_SHARE = 0.12


class Heard(NamedTuple):
    """How much of a text is in small words of either language, how many words and how many signs of Spanish it has."""

    spanish: int
    english: int
    words: int
    signs: int

    @property
    def is_spanish(self) -> bool:
        """Whether more of it is Spanish than English."""
        return self.spanish + self.signs > self.english

    @property
    def is_neither(self) -> bool:
        """Whether it is long enough to hold such words, and holds hardly any."""
        return self.words >= _FEWEST and self.spanish + self.english < _KNOWN_SHARE * self.words


def heard(text: str, words: Sequence[str]) -> Heard:
    """What of a text is in which language. `words` are its own and its subject's, in lower case and without accents."""
    signs = 0 if text.isascii() else len(_SIGNS.findall(text))
    return Heard(sum(map(_SPANISH.__contains__, words)), sum(map(_ENGLISH.__contains__, words)), len(words), signs)
