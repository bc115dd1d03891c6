"""Put the policy on cancelling into words: its document for customers, and the sentences of an advice for a rep.

The same rules that decide are told here, kindly and in the customer's language (playbook S3.1, S3.4). Nothing is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from pipeline.core.records import Charge, Costs, Line, Package, Policy

USTED, TU = "usted", "tu"  # how Spanish addresses people
LANGUAGES = ("en", "es")

# What a policy may list as unforeseeable, in words that complete "nobody chooses ..." (playbook S4.2).
EXCEPTIONS: Mapping[str, tuple[str, str]] = {
    "illness": ("an illness", "una enfermedad"),
    "bereavement": ("a death in the family", "un fallecimiento en la familia"),
    "hardship": ("sudden money trouble", "un apuro económico repentino"),
    "pregnancy": ("a turn in a pregnancy", "un imprevisto en el embarazo"),
    "childcare": ("a child who can't be left alone", "un niño que no se puede dejar solo"),
    "transport": ("a journey that becomes impossible", "un desplazamiento que se vuelve imposible"),
    "travel": ("a trip that can't be put off", "un viaje que no se puede aplazar"),
    "weather": ("a storm that keeps people at home", "un temporal que impide salir de casa"),
    "emergency": ("an emergency", "una emergencia"),
}

# Where these are used, Spanish writes a decimal comma; elsewhere a point (CLDR, numbers of the es locales).
_COMMA = frozenset("ARS BOB CLP COP CRC EUR PYG UYU VES".split())

_UNITS: Mapping[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "minutes": (("minute", "minutes"), ("minuto", "minutos")),
    "hours": (("hour", "hours"), ("hora", "horas")),
    "days": (("day", "days"), ("día", "días")),
    "months": (("month", "months"), ("mes", "meses")),
    "sessions": (("session", "sessions"), ("sesión", "sesiones")),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """One part of the policy in words: `key` is its anchor; a block is a paragraph, or a tuple of lines that form a list."""

    key: str
    title: str
    blocks: tuple[str | tuple[str, ...], ...]

    @property
    def text(self) -> str:
        """The blocks as plain text, fit to be quoted in a mail."""
        return "\n\n".join(
            block if isinstance(block, str) else "\n".join(f"- {line}" for line in block) for block in self.blocks
        )


def sentences(lines: Iterable[Line], currency: str, language: str) -> tuple[str, ...]:
    """The lines of an advice as sentences, one each, in en or es."""
    return tuple(_filled(_ADVICE[line.key], line.values, currency, language) for line in lines)


def section(policy: Policy, key: str, language: str, form: str = USTED) -> str:
    """The text of one section, to be quoted word for word. Raises KeyError when this policy has no such section."""
    return {part.key: part for part in sections(policy, language, form)}[key].text


def sections(policy: Policy, language: str, form: str = USTED) -> tuple[Section, ...]:
    """The whole policy in words, in reading order. A rule that is not in force has no section.

    `form` is how Spanish addresses people, `usted` or `tu`.
    """
    voice = _Voice(policy=policy, language=language, form=form)
    told = [(key, voice.title(key, title), blocks(voice)) for key, title, blocks in _SECTIONS]
    return tuple(Section(key=key, title=title, blocks=tuple(blocks)) for key, title, blocks in told if blocks)


def money(amount: Decimal, currency: str, language: str) -> str:
    """An amount with its currency, as the language writes it: `1,234.50 USD`, `1234,50 EUR`. Decimals are left as they are."""
    text = f"{amount:,f}"
    if language == "es" and len(text.partition(".")[0]) == len("1,234"):
        text = text.replace(",", "")  # Spanish sets off thousands from five digits on
    return f"{_marked(text, currency, language)} {currency}".rstrip()


def percent(share: Decimal, currency: str, language: str) -> str:
    """A share as the language writes it: `12.5%`, `12,5 %`."""
    text = f"{share:f}"
    text = _marked(text.rstrip("0").rstrip(".") if "." in text else text, currency, language)
    return f"{text} %" if language == "es" else f"{text}%"


def duration(length: timedelta, language: str) -> str:
    """A length of time in words: `24 hours`, `3 days and 4 hours`, `2 months`; the two largest units, rounded down."""
    months = round(length.days * 12 / 365.25)
    if months > 1 and length == timedelta(days=round(months * 365.25 / 12)):
        return _count(months, "months", language)
    minutes = length // timedelta(minutes=1)
    if minutes >= 3 * 24 * 60:
        counts = [(minutes // (24 * 60), "days"), (minutes // 60 % 24, "hours")]
    else:
        counts = [(minutes // 60, "hours"), (minutes % 60, "minutes")]
    words = [_count(count, unit, language) for count, unit in counts if count] or [_count(0, "minutes", language)]
    return {"en": " and ", "es": " y "}[language].join(words)


def _marked(number: str, currency: str, language: str) -> str:
    swapped = language == "es" and currency in _COMMA
    return number.translate(str.maketrans(",.", ".,")) if swapped else number


def _count(count: int, unit: str, language: str) -> str:
    one, many = _UNITS[unit][LANGUAGES.index(language)]
    return f"{count} {one if count == 1 else many}"


def _any_of(causes: Iterable[str], language: str) -> str:
    """The exceptions as a list that ends in "or"; the emergency, as the widest, comes last."""
    order = list(EXCEPTIONS)
    known = sorted(causes, key=lambda cause: (order.index(cause) if cause in order else -1, cause))
    words = [EXCEPTIONS[cause][LANGUAGES.index(language)] if cause in EXCEPTIONS else cause for cause in known]
    return {"en": " or ", "es": " o "}[language].join([", ".join(words[:-1]), words[-1]] if words[1:] else words)


def _filled(texts: tuple[str, str], values: Mapping[str, object], currency: str, language: str) -> str:
    said = {name: _said(name, value, currency, language) for name, value in values.items()}
    return texts[LANGUAGES.index(language)].format_map(said)


def _said(name: str, value: object, currency: str, language: str) -> str:
    if isinstance(value, Decimal):
        return percent(value, currency, language) if name == "percent" else money(value, currency, language)
    if isinstance(value, timedelta):
        return duration(value, language)
    return _any_of(value, language) if isinstance(value, tuple) else str(value)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Voice:
    """Who tells the policy: it knows the rules and speaks one language."""

    policy: Policy
    language: str
    form: str

    def say(self, key: str, **values: object) -> str:
        texts = _PAGE[key]
        if self.form == TU and key in _TU:
            texts = (texts[0], _TU[key])
        return _filled(texts, values, self.policy.currency, self.language)

    def title(self, key: str, titles: tuple[str, str]) -> str:
        """The title of a section."""
        if self.form == TU and self.language == "es":
            return _TU_TITLES.get(key, titles[1])
        return titles[LANGUAGES.index(self.language)]

    def share(self, charge: Charge, of: str = "of_price") -> str:
        if not (charge.percent or charge.amount):
            return self.say("nothing")
        if charge.amount is not None:
            return money(charge.amount, self.policy.currency, self.language)
        return self.say(of, percent=charge.percent)

    def rows(self, charges: tuple[Charge, ...], of: str) -> tuple[str, ...]:
        """One line for each row, from the earliest cancellation to the latest."""
        order = sorted(charges, key=lambda row: timedelta.max if row.within is None else row.within, reverse=True)
        return tuple(
            self.say("row" if row.within else "row_after", within=row.within, share=self.share(row, of)) for row in order
        )


_Blocks = list[str | tuple[str, ...]]


def _welcome(voice: _Voice) -> _Blocks:
    return [voice.say("welcome")]


def _notice(voice: _Voice) -> _Blocks:
    policy = voice.policy
    ask = voice.say("notice", notice=policy.notice) if policy.notice else voice.say("notice_soon")
    if not (policy.takes_money or policy.packages):
        ask = f"{ask} {voice.say('free')}"
    elif policy.fees and policy.notice:
        ask = f"{ask} {voice.say('no_fee')}"
    return [ask, voice.say("another_day")]


def _fees(voice: _Voice) -> _Blocks:
    policy = voice.policy
    if not policy.fees:
        return []
    least = [voice.say("minimum", limit=voice.share(policy.minimum))] if policy.minimum else []
    return [voice.say("fees"), voice.rows(policy.fees, "of_price"), " ".join([voice.say("fees_one"), *least])]


def _deposit(voice: _Voice) -> _Blocks:
    deposit = voice.policy.deposit
    if deposit is None:
        return []
    key = "deposit_always" if deposit.within is None else "deposit_within"
    return [" ".join([voice.say("deposit", limit=voice.share(deposit)), voice.say(key, within=deposit.within)])]


def _refunds(voice: _Voice) -> _Blocks:
    policy = voice.policy
    if not policy.refunds:
        return []
    alone = not replace(policy, refunds=()).takes_money
    last = "refunds_before" if alone else "refunds_or_fee"
    return [voice.say("refunds"), voice.rows(policy.refunds, "of_paid"), voice.say(last)]


def _costs(voice: _Voice) -> _Blocks:
    return [] if voice.policy.costs is Costs.OURS else [voice.say(f"costs_{voice.policy.costs}")]


def _cap(voice: _Voice) -> _Blocks:
    cap = voice.policy.cap
    return [voice.say("cap", limit=voice.share(cap))] if cap and voice.policy.takes_money else []


def _grace(voice: _Voice) -> _Blocks:
    policy = voice.policy
    if not policy.grace or not (policy.takes_money or policy.packages):
        return []
    return [voice.say("grace" if policy.grace == 1 else "grace_many", grace=policy.grace)]


def _exceptions(voice: _Voice) -> _Blocks:
    policy = voice.policy
    if not policy.exceptions or not (policy.takes_money or policy.packages):
        return []
    offers = [voice.say("new_date")] if policy.new_date else []
    if policy.credit:
        key = "credit_all" if policy.credit == 100 else "credit"
        offers.append(voice.say(f"{key}_instead" if policy.new_date else key, percent=policy.credit))
    return [voice.say("exceptions", causes=tuple(policy.exceptions)), *([" ".join(offers)] if offers else [])]


def _packages(voice: _Voice) -> _Blocks:
    packages = voice.policy.packages
    if not packages:
        return []
    intro = voice.say("packages", notice=voice.policy.notice) if voice.policy.notice else voice.say("packages_always")
    return [intro, tuple(_package(voice, name, package) for name, package in packages.items())]


def _package(voice: _Voice, name: str, package: Package) -> str:
    sessions = _count(package.sessions, "sessions", voice.language)
    price = money(package.price, voice.policy.currency, voice.language) if package.price is not None else ""
    told = [voice.say("package_price" if price else "package", name=name, sessions=sessions, price=price)]
    if voice.policy.notice and package.forfeit:
        told.append(voice.say("forfeit", forfeit=_count(package.forfeit, "sessions", voice.language)))
        told += [voice.say("extend", extend=package.extend)] if package.extend else []
    return " ".join(told)


def _ours(voice: _Voice) -> _Blocks:
    return [voice.say("ours")]


def _contact(voice: _Voice) -> _Blocks:
    return [voice.say("contact")]


_SECTIONS: tuple[tuple[str, tuple[str, str], Callable[[_Voice], _Blocks]], ...] = (
    ("welcome", ("Before anything else", "Antes de nada"), _welcome),
    ("notice", ("If your plans change", "Si cambian sus planes"), _notice),
    ("grace", ("It can happen to anybody", "Le puede pasar a cualquiera"), _grace),
    ("exceptions", ("What nobody could foresee", "Lo que nadie podía prever"), _exceptions),
    ("ours", ("If we are the reason", "Si la causa somos nosotros"), _ours),
    ("fees", ("If it is at short notice", "Si es con poca antelación"), _fees),
    ("deposit", ("What keeps your date", "Lo que le reserva la fecha"), _deposit),
    ("refunds", ("What you have paid in advance", "Lo que ha pagado por adelantado"), _refunds),
    ("costs", ("What we have already bought for you", "Lo que ya hemos comprado para usted"), _costs),
    ("cap", ("Never more than this", "Nunca más que esto"), _cap),
    ("packages", ("Sessions you buy together", "Sesiones que compra juntas"), _packages),
    ("contact", ("Talk to us", "Hable con nosotros"), _contact),
)

_PAGE: Mapping[str, tuple[str, str]] = {
    "nothing": ("nothing", "nada"),
    "of_price": ("{percent} of the price", "el {percent} del precio"),
    "of_paid": ("{percent} of what you have paid", "el {percent} de lo que ha pagado"),
    "row": ("Less than {within} before: {share}", "Menos de {within} antes: {share}"),
    "row_after": (
        "Once the agreed time has come, or if we hear nothing: {share}",
        "Llegada la hora acordada, o si no sabemos nada de usted: {share}",
    ),
    "welcome": (
        "Life has plans of its own, and now and then they cross ours. That is all right. This page tells how we go about it,"
        " so that nothing ever comes as a surprise. Whatever becomes of one date, our door stays open to you.",
        "La vida tiene sus propios planes y, de vez en cuando, se cruzan con los nuestros. No pasa nada. En esta página le"
        " contamos cómo lo resolvemos, para que nunca haya sorpresas. Pase lo que pase con una fecha, nuestra puerta sigue"
        " abierta para usted.",
    ),
    "notice": (
        "Please tell us at least {notice} before. A short answer to any of our mails is enough; you need not explain anything.",
        "Avísenos, por favor, al menos {notice} antes. Basta con responder a cualquiera de nuestros correos; no hace falta que"
        " explique nada.",
    ),
    "notice_soon": (
        "Please tell us as soon as you know. A short answer to any of our mails is enough; you need not explain anything.",
        "Avísenos, por favor, en cuanto lo sepa. Basta con responder a cualquiera de nuestros correos; no hace falta que"
        " explique nada.",
    ),
    "no_fee": ("Then there is no fee.", "Así no hay ningún cargo."),
    "free": ("Cancelling costs you nothing.", "Cancelar no le cuesta nada."),
    "another_day": (
        "If another day suits you better, we are glad to find one with you.",
        "Si le viene mejor otro día, con mucho gusto lo buscamos con usted.",
    ),
    "fees": (
        "When we hear of it late, we can seldom offer the time to somebody else. So we ask you to bear a part of it:",
        "Cuando nos enteramos tarde, pocas veces podemos ofrecer ese tiempo a otra persona. Por eso le pedimos que asuma una"
        " parte:",
    ),
    "fees_one": (
        "Only one of these lines ever counts, and what you have already paid is taken off it.",
        "Solo cuenta una de estas líneas, y lo que ya haya pagado se descuenta.",
    ),
    "minimum": ("Such a fee has a minimum: {limit}.", "Ese cargo tiene un mínimo: {limit}."),
    "deposit": (
        "To keep a date for you we ask for a deposit: {limit}. It is part of the price, nothing on top.",
        "Para reservarle una fecha le pedimos un anticipo: {limit}. Forma parte del precio, no se suma a él.",
    ),
    "deposit_always": (
        "If you cancel, it stays with us, since the date was kept for you alone.",
        "Si cancela, se queda con nosotros, porque esa fecha se guardó solo para usted.",
    ),
    "deposit_within": (
        "If you cancel at least {within} before, you get it back in full. Later than that it stays with us, since the date was"
        " kept for you alone.",
        "Si cancela al menos {within} antes, se lo devolvemos entero. Más tarde se queda con nosotros, porque esa fecha se"
        " guardó solo para usted.",
    ),
    "refunds": (
        "If you cancel when the date is near, this much comes back to you:",
        "Si cancela cuando la fecha ya está cerca, le devolvemos esto:",
    ),
    "refunds_before": ("Before that, all of it comes back.", "Antes de eso, se lo devolvemos todo."),
    "refunds_or_fee": (
        "If something else on this page applies as well, only the higher counts, never both.",
        "Si además se aplica otro punto de esta página, solo cuenta lo más alto, nunca las dos cosas.",
    ),
    "costs_covered": (
        "If we have already bought or booked something for you that can't be given back, a cancellation costs at least that"
        " much. We tell you exactly what it was.",
        "Si ya hemos comprado o contratado algo para usted que no se puede devolver, la cancelación cuesta al menos eso. Le"
        " decimos exactamente qué fue.",
    ),
    "costs_added": (
        "If we have already bought or booked something for you that can't be given back, we ask you for that as well. We tell"
        " you exactly what it was.",
        "Si ya hemos comprado o contratado algo para usted que no se puede devolver, le pedimos también ese importe. Le decimos"
        " exactamente qué fue.",
    ),
    "cap": (
        "Whatever comes together, this is the most that a cancellation can cost you: {limit}.",
        "Se junte lo que se junte, esto es lo máximo que le puede costar una cancelación: {limit}.",
    ),
    "grace": (
        "The first late cancellation is on us: it costs you nothing. Our rules count only from the second one on.",
        "La primera cancelación tardía corre de nuestra cuenta: no le cuesta nada. Nuestras reglas solo cuentan a partir de la"
        " segunda.",
    ),
    "grace_many": (
        "Your first {grace} late cancellations are on us: they cost you nothing. Our rules count only after that.",
        "Sus primeras {grace} cancelaciones tardías corren de nuestra cuenta: no le cuestan nada. Nuestras reglas solo cuentan"
        " después.",
    ),
    "exceptions": (
        "Nobody chooses {causes}. When that happens, the rules rest and we charge you nothing.",
        "Nadie elige {causes}. Cuando eso pasa, las reglas descansan y no le cobramos nada.",
    ),
    "new_date": (
        "We look for a new date with you, and all that you have paid counts towards it.",
        "Buscamos con usted una nueva fecha, y todo lo que haya pagado sirve para ella.",
    ),
    "credit": (
        "Of what we would otherwise keep, {percent} stays yours as credit.",
        "De lo que en otro caso nos quedaríamos, el {percent} sigue siendo suyo como saldo a favor.",
    ),
    "credit_all": (
        "All that we would otherwise keep stays yours as credit.",
        "Todo lo que en otro caso nos quedaríamos sigue siendo suyo como saldo a favor.",
    ),
    "credit_instead": (
        "If none suits you, {percent} of what we would otherwise keep stays yours as credit.",
        "Si ninguna le viene bien, el {percent} de lo que en otro caso nos quedaríamos sigue siendo suyo como saldo a favor.",
    ),
    "credit_all_instead": (
        "If none suits you, all that we would otherwise keep stays yours as credit.",
        "Si ninguna le viene bien, todo lo que en otro caso nos quedaríamos sigue siendo suyo como saldo a favor.",
    ),
    "packages": (
        "A session that you call off at least {notice} before stays yours.",
        "La sesión que cancele al menos {notice} antes sigue siendo suya.",
    ),
    "packages_always": ("A session that you call off stays yours.", "La sesión que cancele sigue siendo suya."),
    "package": ("{name}: {sessions}.", "{name}: {sessions}."),
    "package_price": ("{name}: {sessions}, {price}.", "{name}: {sessions}, {price}."),
    "forfeit": ("Called off later, it uses up {forfeit}.", "Si avisa más tarde, se descuenta del paquete: {forfeit}."),
    "extend": (
        "As a gift from us, each one that is left then becomes {extend} longer.",
        "Como detalle nuestro, cada una de las que quedan dura entonces {extend} más.",
    ),
    "ours": (
        "If it is we who can't keep the date, it costs you nothing: you choose between a new date and all that you have paid.",
        "Si somos nosotros quienes no podemos cumplir la fecha, no le cuesta nada: usted elige entre una nueva fecha y todo lo"
        " que haya pagado.",
    ),
    "contact": (
        "Does something here not fit your situation? Tell us, and we will look for a way together.",
        "¿Hay algo aquí que no encaja con su situación? Díganoslo y buscaremos juntos una solución.",
    ),
}

# Where Spanish says tú: what differs from the texts and titles above.
_TU_TITLES: Mapping[str, str] = {
    "notice": "Si cambian tus planes",
    "deposit": "Lo que te reserva la fecha",
    "refunds": "Lo que has pagado por adelantado",
    "costs": "Lo que ya hemos comprado para ti",
    "packages": "Sesiones que compras juntas",
    "contact": "Habla con nosotros",
}
_TU: Mapping[str, str] = {
    "of_paid": "el {percent} de lo que has pagado",
    "row_after": "Llegada la hora acordada, o si no sabemos nada de ti: {share}",
    "welcome": (
        "La vida tiene sus propios planes y, de vez en cuando, se cruzan con los nuestros. No pasa nada. En esta página te"
        " contamos cómo lo resolvemos, para que nunca haya sorpresas. Pase lo que pase con una fecha, nuestra puerta sigue"
        " abierta para ti."
    ),
    "notice": (
        "Avísanos, por favor, al menos {notice} antes. Basta con responder a cualquiera de nuestros correos; no hace falta que"
        " expliques nada."
    ),
    "notice_soon": (
        "Avísanos, por favor, en cuanto lo sepas. Basta con responder a cualquiera de nuestros correos; no hace falta que"
        " expliques nada."
    ),
    "free": "Cancelar no te cuesta nada.",
    "another_day": "Si te viene mejor otro día, con mucho gusto lo buscamos contigo.",
    "fees": (
        "Cuando nos enteramos tarde, pocas veces podemos ofrecer ese tiempo a otra persona. Por eso te pedimos que asumas una"
        " parte:"
    ),
    "fees_one": "Solo cuenta una de estas líneas, y lo que ya hayas pagado se descuenta.",
    "deposit": "Para reservarte una fecha te pedimos un anticipo: {limit}. Forma parte del precio, no se suma a él.",
    "deposit_always": "Si cancelas, se queda con nosotros, porque esa fecha se guardó solo para ti.",
    "deposit_within": (
        "Si cancelas al menos {within} antes, te lo devolvemos entero. Más tarde se queda con nosotros, porque esa fecha se"
        " guardó solo para ti."
    ),
    "refunds": "Si cancelas cuando la fecha ya está cerca, te devolvemos esto:",
    "refunds_before": "Antes de eso, te lo devolvemos todo.",
    "costs_covered": (
        "Si ya hemos comprado o contratado algo para ti que no se puede devolver, la cancelación cuesta al menos eso. Te"
        " decimos exactamente qué fue."
    ),
    "costs_added": (
        "Si ya hemos comprado o contratado algo para ti que no se puede devolver, te pedimos también ese importe. Te decimos"
        " exactamente qué fue."
    ),
    "cap": "Se junte lo que se junte, esto es lo máximo que te puede costar una cancelación: {limit}.",
    "grace": (
        "La primera cancelación tardía corre de nuestra cuenta: no te cuesta nada. Nuestras reglas solo cuentan a partir de la"
        " segunda."
    ),
    "grace_many": (
        "Tus primeras {grace} cancelaciones tardías corren de nuestra cuenta: no te cuestan nada. Nuestras reglas solo cuentan"
        " después."
    ),
    "exceptions": "Nadie elige {causes}. Cuando eso pasa, las reglas descansan y no te cobramos nada.",
    "new_date": "Buscamos contigo una nueva fecha, y todo lo que hayas pagado sirve para ella.",
    "credit": "De lo que en otro caso nos quedaríamos, el {percent} sigue siendo tuyo como saldo a favor.",
    "credit_all": "Todo lo que en otro caso nos quedaríamos sigue siendo tuyo como saldo a favor.",
    "credit_instead": (
        "Si ninguna te viene bien, el {percent} de lo que en otro caso nos quedaríamos sigue siendo tuyo como saldo a favor."
    ),
    "credit_all_instead": (
        "Si ninguna te viene bien, todo lo que en otro caso nos quedaríamos sigue siendo tuyo como saldo a favor."
    ),
    "packages": "La sesión que canceles al menos {notice} antes sigue siendo tuya.",
    "packages_always": "La sesión que canceles sigue siendo tuya.",
    "forfeit": "Si avisas más tarde, se descuenta del paquete: {forfeit}.",
    "ours": (
        "Si somos nosotros quienes no podemos cumplir la fecha, no te cuesta nada: tú eliges entre una nueva fecha y todo lo"
        " que hayas pagado."
    ),
    "contact": "¿Hay algo aquí que no encaja con tu situación? Dínoslo y buscaremos juntos una solución.",
}

_ADVICE: Mapping[str, tuple[str, str]] = {
    "notice": (
        "The cancellation came {given} before the start; {asked} are asked for.",
        "La cancelación llegó {given} antes del inicio; se piden {asked}.",
    ),
    "notice_alone": ("The cancellation came {given} before the start.", "La cancelación llegó {given} antes del inicio."),
    "notice_after": ("The cancellation came after the start.", "La cancelación llegó después del inicio."),
    "notice_between": (
        "The cancellation came between {least} and {most} before the start.",
        "La cancelación llegó entre {least} y {most} antes del inicio.",
    ),
    "notice_at_most": (
        "The cancellation came at most {most} before the start.",
        "La cancelación llegó como mucho {most} antes del inicio.",
    ),
    "before": (
        "Late cancellations of this customer so far: {before}; let go by the policy: {grace}.",
        "Cancelaciones tardías de este cliente hasta ahora: {before}; las que perdona la política: {grace}.",
    ),
    "cause": ("The cause: {causes}.", "La causa: {causes}."),
    "cause_ours": ("The cause lies with us.", "La causa está de nuestro lado."),
    "fee": ("Fee: {amount}.", "Cargo: {amount}."),
    "fee_percent": ("Fee: {percent} of the price of {base} = {amount}.", "Cargo: {percent} del precio de {base} = {amount}."),
    "fee_open": ("Fee: {amount}.", "Cargo: {amount}."),
    "fee_open_percent": ("Fee: {percent} of the price.", "Cargo: {percent} del precio."),
    "minimum": ("A fee is at least {limit}.", "Un cargo es de al menos {limit}."),
    "minimum_open_percent": ("A fee is at least {percent} of the price.", "Un cargo es de al menos el {percent} del precio."),
    "deposit": ("Of the deposit {amount} stays with us.", "Del anticipo nos quedamos {amount}."),
    "deposit_open": (
        "If the deposit of {amount} was paid, it stays with us.",
        "Si se pagó el anticipo de {amount}, nos lo quedamos.",
    ),
    "deposit_open_percent": (
        "If the deposit of {percent} of the price was paid, it stays with us.",
        "Si se pagó el anticipo del {percent} del precio, nos lo quedamos.",
    ),
    "kept": (
        "Of {paid} paid in advance {back} goes back: {paid} − {back} = {kept} stays with us.",
        "De {paid} pagados por adelantado se devuelven {back}: nos quedamos {paid} − {back} = {kept}.",
    ),
    "kept_percent": (
        "Of {paid} paid in advance {percent} = {back} goes back: {paid} − {back} = {kept} stays with us.",
        "De {paid} pagados por adelantado se devuelve el {percent} = {back}: nos quedamos {paid} − {back} = {kept}.",
    ),
    "refund_open": ("Of what was paid in advance {amount} goes back.", "De lo pagado por adelantado se devuelven {amount}."),
    "refund_open_percent": (
        "Of what was paid in advance {percent} goes back.",
        "De lo pagado por adelantado se devuelve el {percent}.",
    ),
    "spent": ("Already spent for this customer: {spent}.", "Ya gastado para este cliente: {spent}."),
    "spent_open": (
        "What was already spent for this customer counts as well.",
        "También cuenta lo ya gastado para este cliente.",
    ),
    "sum": ("{fee} + {spent} = {total}.", "{fee} + {spent} = {total}."),
    "highest": ("Only the highest of these counts: {cost}.", "Solo cuenta lo más alto: {cost}."),
    "cap": ("A cancellation never costs more than {limit}.", "Una cancelación nunca cuesta más de {limit}."),
    "cap_open_percent": (
        "A cancellation never costs more than {percent} of the price.",
        "Una cancelación nunca cuesta más que el {percent} del precio.",
    ),
    "cost": (
        "It costs {cost} in all; what was paid in advance is taken off that.",
        "En total cuesta {cost}; de ahí se descuenta lo pagado por adelantado.",
    ),
    "charge": ("To charge: {cost} − {paid} already paid = {left}.", "Por cobrar: {cost} − {paid} ya pagados = {left}."),
    "charge_all": ("Nothing was paid in advance. To charge: {cost}.", "No se pagó nada por adelantado. Por cobrar: {cost}."),
    "refund": ("To give back: {paid} already paid − {cost} = {left}.", "Por devolver: {paid} ya pagados − {cost} = {left}."),
    "even": (
        "What was paid covers it exactly: nothing to charge, nothing to give back.",
        "Lo pagado lo cubre exactamente: nada por cobrar, nada por devolver.",
    ),
    "costs_nothing": ("By the policy this costs nothing.", "Según la política, esto no cuesta nada."),
    "give_back": ("To give back: the {paid} paid in advance.", "Por devolver: los {paid} pagados por adelantado."),
    "give_back_rest": (
        "To give back in that case: {paid} − {kept} = {refund}.",
        "Por devolver en ese caso: {paid} − {kept} = {refund}.",
    ),
    "grace": ("It is let go: nothing is charged.", "Se deja pasar: no se cobra nada."),
    "next_time": ("The same would cost {cost} next time.", "La próxima vez, lo mismo costaría {cost}."),
    "ours": ("It costs the customer nothing.", "Al cliente no le cuesta nada."),
    "exception": (
        "Nobody could foresee that: the rules rest and nothing is charged.",
        "Nadie podía preverlo: las reglas descansan y no se cobra nada.",
    ),
    "new_date": ("First offer a new date.", "Primero, ofrezca una nueva fecha."),
    "new_date_paid": (
        "First offer a new date; the {paid} already paid counts in full.",
        "Primero, ofrezca una nueva fecha; los {paid} ya pagados cuentan por completo.",
    ),
    "credit": (
        "Without a new date: {percent} of the {kept} that would be kept = {credit} as credit.",
        "Sin nueva fecha: el {percent} de los {kept} que nos quedaríamos = {credit} como saldo a favor.",
    ),
    "package_kept": (
        "The session belongs to the package {package} and stays in it.",
        "La sesión es del paquete {package} y se queda en él.",
    ),
    "forfeited": (
        "The session belongs to the package {package}; by the rule {forfeited} of its sessions is used up, and no money.",
        "La sesión es del paquete {package}; según la regla se gasta {forfeited} de sus sesiones, y nada de dinero.",
    ),
    "session_stays": ("The session stays in the package.", "La sesión se queda en el paquete."),
    "extended": (
        "Sessions left: {left} − {forfeited} = {rest}; as goodwill each becomes {extra} longer.",
        "Sesiones que quedan: {left} − {forfeited} = {rest}; como detalle, cada una dura {extra} más.",
    ),
    "extended_open": (
        "As goodwill each session that is left becomes {extra} longer.",
        "Como detalle, cada sesión que queda dura {extra} más.",
    ),
    "if_notice": ("If it came at least {notice} before the start:", "Si llegó al menos {notice} antes del inicio:"),
    "if_before": ("If it came before the start:", "Si llegó antes del inicio:"),
    "if_later": ("If it came later than that:", "Si llegó más tarde:"),
    "if_package": ("If the session belongs to the package {package}:", "Si la sesión es del paquete {package}:"),
    "if_grace": (
        "If this customer's late cancellations, with this one, are no more than {grace}:",
        "Si las cancelaciones tardías de este cliente, con esta, no pasan de {grace}:",
    ),
    "if_cause": ("If the cause is {causes}:", "Si la causa es {causes}:"),
    "if_ours": ("If the cause lies with us:", "Si la causa está de nuestro lado:"),
    "unknown_currency": (
        "The booking is in another currency than the policy: nothing is computed.",
        "La reserva está en otra moneda que la política: no se calcula nada.",
    ),
    "unknown_package_name": (
        "The policy knows no package {package}: nothing is computed.",
        "La política no conoce ningún paquete {package}: no se calcula nada.",
    ),
    "unknown_package": ("Not known: whether the session belongs to a package.", "No se sabe si la sesión es de un paquete."),
    "unknown_start": ("Not known: when it was to begin.", "No se sabe cuándo iba a empezar."),
    "unknown_hour": ("Not known: at what hour it was to begin.", "No se sabe a qué hora iba a empezar."),
    "unknown_at": ("Not known: when the cancellation came.", "No se sabe cuándo llegó la cancelación."),
    "unknown_price": ("Not known: the price.", "No se sabe el precio."),
    "unknown_paid": ("Not known: how much was paid in advance.", "No se sabe cuánto se pagó por adelantado."),
    "unknown_spent": (
        "Not known: what was already spent for this customer.",
        "No se sabe cuánto se ha gastado ya para este cliente.",
    ),
    "unknown_sessions_left": ("Not known: how many sessions are left.", "No se sabe cuántas sesiones quedan."),
    "unknown_late_before": (
        "Not known: how often this customer cancelled late before.",
        "No se sabe cuántas veces ha cancelado tarde este cliente.",
    ),
    "unknown_cause": (
        "Not known: why. Ask before you speak of money.",
        "No se sabe por qué. Pregunte antes de hablar de dinero.",
    ),
    "open": (
        "Until that is known, no amount that hangs on it is certain.",
        "Hasta saberlo, ningún importe que dependa de ello es seguro.",
    ),
    "sensitive": (
        "A person decides here; money comes last, if at all.",
        "Aquí decide una persona; el dinero va al final, si es que va.",
    ),
    "service": (
        "They are unhappy with us: listen, and put it right before you speak of money.",
        "No está contento con nosotros: escuche y arréglelo antes de hablar de dinero.",
    ),
}
