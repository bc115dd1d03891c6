"""What reasons and their finer causes are called when people read of them, in en and es."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.core.records import Reason

LANGUAGES = ("en", "es")

_REASONS: Mapping[str, tuple[str, str]] = {
    "price": ("Price", "Precio"),
    "service": ("Service", "Servicio"),
    "timing": ("Timing", "Fechas y horarios"),
    "not_ready": ("Not ready yet", "Aún no es el momento"),
    "other": ("Another reason", "Otro motivo"),
    "unspecified": ("No reason given", "Sin motivo indicado"),
    "reschedule": ("Wants another date", "Pide otra fecha"),
    "none": ("No cancellation", "No es una cancelación"),
}

# The same within a sentence: "cancelled over ...", "canceló por ...".
_OVER: Mapping[Reason, tuple[str, str]] = {
    Reason.PRICE: ("the price", "el precio"),
    Reason.SERVICE: ("the service", "el servicio"),
    Reason.TIMING: ("the timing", "las fechas"),
    Reason.NOT_READY: ("not being ready", "no ser el momento"),
    Reason.OTHER: ("another reason", "otro motivo"),
    Reason.UNSPECIFIED: ("a reason not given", "un motivo no indicado"),
}

_CAUSES: Mapping[str, tuple[str, str]] = {
    "competitor": ("went to another business", "se fue a otro negocio"),
    "need_ended": ("no longer needs it", "ya no lo necesita"),
    "moved": ("moved away", "se ha mudado"),
    "hardship": ("money trouble", "apuros económicos"),
    "illness": ("illness", "enfermedad"),
    "bereavement": ("a death in the family", "un fallecimiento"),
    "emergency": ("an emergency", "una emergencia"),
    "travel": ("travel", "un viaje"),
    "provider_side": ("called off by the business", "lo anuló el negocio"),
    "cheaper_elsewhere": ("cheaper elsewhere", "más barato en otro sitio"),
    "price_rise": ("the price went up", "subida de precio"),
    "budget": ("over budget", "se sale del presupuesto"),
    "quality": ("poor quality", "mala calidad"),
    "late": ("late arrival", "impuntualidad"),
    "unresponsive": ("no answer or nobody there", "nadie respondía o no había nadie"),
    "rude": ("unfriendly treatment", "trato poco amable"),
    "billing": ("billing mistakes", "errores de cobro"),
    "feature_gap": ("something was missing", "faltaba algo"),
    "hard_to_use": ("hard to use", "difícil de usar"),
    "still_comparing": ("still comparing", "aún está comparando"),
    "postponed": ("put off", "lo aplaza"),
    "work": ("work", "trabajo"),
    "childcare": ("children to look after", "cuidado de los niños"),
    "weather": ("the weather", "el tiempo"),
    "transport": ("no way to get there", "no puede desplazarse"),
    "schedule_conflict": ("another appointment", "otra cita a la misma hora"),
    "changed_mind": ("changed their mind", "cambió de idea"),
    "not_using": ("did not use it", "no lo usaba"),
    "diy": ("does it themselves", "lo hace por su cuenta"),
    "closing": ("their business closes", "cierra su negocio"),
    "pregnancy": ("pregnancy", "embarazo"),
    "wrong_person": ("the wrong person", "no era para esa persona"),
}


def reason(name: str, language: str) -> str:
    """The heading for a reason, or for what a mail was instead of a cancellation."""
    return _REASONS[name][LANGUAGES.index(language)]


def over(which: Reason, language: str) -> str:
    """The reason within a sentence: they cancelled over ..."""
    return _OVER[which][LANGUAGES.index(language)]


def cause(name: str, language: str) -> str:
    """A finer cause in a few words; one that has no words here is shown as it is, and a reason without finer cause as such."""
    if name in _CAUSES:
        return _CAUSES[name][LANGUAGES.index(language)]
    return reason(name, language).lower() if name in _REASONS else name.replace("_", " ")
