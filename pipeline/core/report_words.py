"""Put the figures of the report into words, in en or es: the sentences of its pages, and the weekly letter to the owner."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from pipeline.core.compose import day_in_words, first_name
from pipeline.core.figures import Alarm, Change, CorrectionFigure, EditFigure, Figures, Quote, Share
from pipeline.core.policy_words import duration, money
from pipeline.core.reason_words import LANGUAGES, cause, over, reason
from pipeline.core.records import Business, Text
from pipeline.core.report import ENOUGH, YOUNG

_CAUSES = 4
_LETTER_QUOTES = 4
_LETTER_REASONS = 4
_TEXTS_CHANGED = 3

_SAY: Mapping[str, tuple[str, str]] = {
    "title": ("What your cancellations tell you", "Lo que dicen sus cancelaciones"),
    "one_day": ("{first} {year}", "{first} de {year}"),
    "days": ("{first} to {last} {year}", "del {first} al {last} de {year}"),
    "days_of_years": ("{first} {before} to {last} {year}", "del {first} de {before} al {last} de {year}"),
    "alarms": ("Look at this first", "Mire esto primero"),
    "why": ("Why they cancelled", "Por qué cancelaron"),
    "time": ("When they cancelled", "Cuándo cancelaron"),
    "change": ("What you can change", "Lo que usted puede cambiar"),
    "can": ("You can change it", "Puede cambiarlo"),
    "cannot": ("You can't change it", "No puede cambiarlo"),
    "unknown": ("Not known", "No se sabe"),
    "answer": ("How fast you answer", "Cuánto tarda la respuesta"),
    "back": ("Who comes back", "Quién vuelve"),
    "all": ("Everybody", "Todos"),
    "by_reason": ("By reason", "Por motivo"),
    "by_track": ("By what followed", "Por serie de seguimiento"),
    "by_text": ("By the text they got", "Por el texto que recibieron"),
    "worth": ("What it is worth", "Lo que supone en dinero"),
    "reps": ("What your people changed", "Lo que cambió su equipo"),
    "how": ("How to read this", "Cómo leer esto"),
    "cancelled": ("cancelled", "cancelaciones"),
    "returned": ("came back so far", "han vuelto por ahora"),
    "another": ("asked for another date", "pidieron otra fecha"),
    "first": ("typical first answer", "primera respuesta habitual"),
    "numbers": ("Bar by bar", "Barra a barra"),
    "nobody": ("Nobody cancelled in this time.", "Nadie canceló en este tiempo."),
    "too_few": ("not enough data yet", "aún no hay datos suficientes"),
    "fast": ("a minute", "un minuto"),
    "of": ("{count} of {of}", "{count} de {of}"),
    "rate": ("{part}%, likely {low} to {high}%", "{part} %, probablemente del {low} al {high} %"),
    "alarm": (
        "{count} of {of} customers who cancelled over {over} in the last {days} days name the same thing: {cause}.",
        "{count} de {of} clientes que cancelaron por {over} en los últimos {days} días nombran lo mismo: {cause}.",
    ),
    "no_answers": ("No first answer has gone out.", "No ha salido ninguna primera respuesta."),
    "answered_one": ("The one answer went out within {slow}.", "La única respuesta salió en {slow}."),
    "answered": (
        "Half of the customers had an answer within {median}, nine of ten within {slow}.",
        "La mitad de los clientes tuvo respuesta en {median}; nueve de cada diez, en {slow}.",
    ),
    "worth_line": (
        "{lost} called off and not back so far, {back} won back ({known} of {all} cancellations have a known price).",
        "{lost} cancelados y sin volver por ahora, {back} recuperados (se conoce el precio de {known} de {all} cancelaciones).",
    ),
    "no_price": (
        "No price of a cancelled appointment is known, so nothing can be said about money.",
        "No se conoce el precio de ninguna cita cancelada; por eso no se puede hablar de dinero.",
    ),
    "no_drafts": ("Nobody released or turned down a draft.", "Nadie envió ni descartó un borrador."),
    "drafts": (
        "Drafts looked at: {all}. Sent as they were: {as_it_was}, changed first: {edited}, turned down: {rejected}.",
        "Borradores revisados: {all}. Enviados tal cual: {as_it_was}, cambiados antes: {edited}, descartados: {rejected}.",
    ),
    "text": ("{name} – changed: {edited}, turned down: {rejected}", "{name} – cambiados: {edited}, descartados: {rejected}"),
    "few": ("Not enough data yet: {rows}", "Aún no hay datos suficientes: {rows}"),
    "few_row": ("{name} {count} of {of}", "{name} {count} de {of}"),
    "correction": ("{was} → {became}: {count}", "{was} → {became}: {count}"),
    "corrections": ("Reasons that were corrected", "Motivos que se corrigieron"),
    "texts": ("Texts that were changed or turned down", "Textos que se cambiaron o descartaron"),
    "meaning": (
        "Came back means: after cancelling, the customer took or asked for another date. First answers count from the "
        "arrival of the mail. What customers wrote in delicate situations is never shown.",
        "Volver significa: después de cancelar, el cliente tomó o pidió otra fecha. Las primeras respuestas cuentan desde que "
        "llegó el mensaje. Nunca se muestra lo que escribieron clientes en situaciones delicadas.",
    ),
    "range": (
        f"The range tells where the true share lies, right 19 times in 20 (Wilson's interval). Below {ENOUGH} customers there "
        "is none: that is not enough data yet. Where two ranges overlap, the difference may be chance.",
        "El margen dice dónde está la proporción verdadera y acierta 19 de cada 20 veces (intervalo de Wilson). Con menos de "
        f"{ENOUGH} clientes no hay margen: aún no hay datos suficientes. Si dos márgenes se solapan, la diferencia puede ser "
        "casualidad.",
    ),
    "hello": ("Hello {name},", "Hola, {name}:"),
    "hello_all": ("Hello,", "Hola:"),
    "letter_subject": ("Your week: {happened}", "Su semana: {happened}"),
    "letter_opens": ("this was the week of {days} at {business}.", "así fue la semana {days} en {business}."),
    "letter_why": ("Why: {reasons}.", "Por qué: {reasons}."),
    "letter_can": ("You can do something about {can} of them.", "En {can} de ellas usted puede hacer algo."),
    "letter_words": ("In their own words:", "Con sus propias palabras:"),
    "letter_more": (
        "More, with pictures: winback report --last 90d --html report.html",
        "Más, con gráficos: winback report --last 90d --html report.html",
    ),
    "letter_ends": ("winback, for {business}", "winback, para {business}"),
}

# One, and many: a number goes into the braces.
_COUNTED: Mapping[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "cancellations": (("{} cancellation", "{} cancellations"), ("{} cancelación", "{} cancelaciones")),
    "customers_cancelled": (
        ("{} customer cancelled", "{} customers cancelled"),
        ("{} cliente canceló", "{} clientes cancelaron"),
    ),
    "back": (("{} customer came back", "{} customers came back"), ("{} cliente volvió", "{} clientes volvieron")),
    "another": (
        ("{} asked for another date instead", "{} asked for another date instead"),
        ("{} pidió otra fecha en su lugar", "{} pidieron otra fecha en su lugar"),
    ),
    "held": (
        ("{} more cancellation waits for a person.", "{} more cancellations wait for a person."),
        ("{} cancelación más espera a una persona.", "{} cancelaciones más esperan a una persona."),
    ),
    "young": (
        ("{} of them cancelled less than {days} days ago and may still come back.",) * 2,
        (
            "{} de ellos canceló hace menos de {days} días y aún puede volver.",
            "{} de ellos cancelaron hace menos de {days} días y aún pueden volver.",
        ),
    ),
    "waiting": (
        ("{} customer has had no answer from here.", "{} customers have had no answer from here."),
        ("{} cliente no ha tenido respuesta desde aquí.", "{} clientes no han tenido respuesta desde aquí."),
    ),
    "automatic": (
        ("{} mail went out by itself.", "{} mails went out by themselves."),
        ("{} mensaje salió solo.", "{} mensajes salieron solos."),
    ),
    "loyal": (
        ("Of {of} who came back, {} has stayed.", "Of {of} who came back, {} have stayed."),
        ("De {of} que volvieron, {} se ha quedado.", "De {of} que volvieron, {} se han quedado."),
    ),
}


def say(key: str, language: str, **values: object) -> str:
    """A heading or a sentence of the report."""
    return _SAY[key][LANGUAGES.index(language)].format(**values)


def counted(key: str, number: int, language: str, **values: object) -> str:
    """A number with what is counted."""
    one, many = _COUNTED[key][LANGUAGES.index(language)]
    return (one if number == 1 else many).format(number, **values)


def days(figures: Figures, language: str) -> str:
    """The period in words: `16 November to 22 November 2026`."""
    zone = ZoneInfo(figures.timezone)
    first = figures.period.start.astimezone(zone).date()
    last = (figures.period.end - timedelta(microseconds=1)).astimezone(zone).date()
    same_month = first < last and (first.year, first.month) == (last.year, last.month)
    begins = str(first.day) if same_month else day_in_words(first, language)
    words = {"first": begins, "last": day_in_words(last, language), "before": first.year}
    key = "one_day" if first == last else "days" if first.year == last.year else "days_of_years"
    return say(key, language, year=last.year, **words)


def wait(length: timedelta, language: str) -> str:
    """How long somebody waited, in words."""
    return duration(length, language) if length >= timedelta(minutes=1) else say("fast", language)


def short_wait(length: timedelta) -> str:
    """The same in little room, in signs that every reader knows: `4 min`, `1 h 38 min`, `3 d`."""
    minutes = max(1, round(length / timedelta(minutes=1)))
    if minutes >= 48 * 60:
        return f"{round(minutes / (24 * 60))} d"
    hours, rest = divmod(minutes, 60)
    return " ".join([*([f"{hours} h"] if hours else []), *([f"{rest} min"] if rest else [])])


def rate(share: Share, language: str) -> tuple[str, str]:
    """A share as two pieces: `3 of 12`, and `25%, likely 9 to 53%` or that there is not enough data yet."""
    part = say("of", language, count=share.count, of=share.of)
    if not share.enough:
        return part, say("too_few", language)
    low, middle, high = (round(100 * value) for value in (share.low, share.count / share.of, share.high))
    return part, say("rate", language, part=middle, low=low, high=high)


def few(rows: Iterable[tuple[str, Share]], language: str) -> str:
    """Shares that say nothing yet, in one sentence; "" for none."""
    told = ", ".join(say("few_row", language, name=name, count=one.count, of=one.of) for name, one in rows if not one.enough)
    return say("few", language, rows=told) if told else ""


def listed(causes: Sequence[tuple[str, int]], language: str) -> str:
    """The most frequent causes with their counts."""
    told = [f"{cause(name, language)} {count}" for name, count in causes[:_CAUSES]]
    return ", ".join([*told, "…"] if len(causes) > _CAUSES else told)


def alarm(found: Alarm, language: str) -> str:
    """A cause alarm as a sentence."""
    about = {"over": over(found.reason, language), "cause": cause(found.subreason, language), "days": found.days}
    return say("alarm", language, count=found.count, of=found.of, **about)


def quoted(quote: Quote, language: str) -> str:
    """A customer's words within the quotation marks of the reader's language."""
    return f"«{quote.text}»" if language == "es" else f"“{quote.text}”"


def answers(figures: Figures, language: str) -> tuple[str, ...]:
    """How fast the first answers went out."""
    found = figures.answers
    if found.median is None or found.slow is None:
        told = [say("no_answers", language)] if found.waiting else []
    else:
        key = "answered" if found.answered > 1 else "answered_one"
        told = [say(key, language, median=wait(found.median, language), slow=wait(found.slow, language))]
    return (*told, *([counted("waiting", found.waiting, language)] if found.waiting else []))


def worth(figures: Figures, language: str) -> tuple[str, ...]:
    """What was lost and won back, a sentence for each currency; none where no price is known."""
    return tuple(
        say(
            "worth_line",
            language,
            lost=money(one.lost, one.currency, language),
            back=money(one.won_back, one.currency, language),
            known=one.known,
            all=figures.cancellations,
        )
        for one in figures.money
    )


def drafts(figures: Figures, language: str) -> tuple[str, ...]:
    """What reps did with the drafts."""
    one = figures.drafts
    looked_at = one.as_it_was + one.edited + one.rejected
    told = [counted("automatic", figures.automatic, language)] if figures.automatic else []
    if not looked_at:
        return (*told, say("no_drafts", language))
    counts = {"as_it_was": one.as_it_was, "edited": one.edited, "rejected": one.rejected}
    return (*told, say("drafts", language, all=looked_at, **counts))


def changed_texts(figures: Figures, language: str) -> tuple[str, ...]:
    """The texts that reps changed or turned down most."""
    changed = [one for one in figures.edits if one.edited or one.rejected]
    return tuple(_changed(one, language) for one in changed[:_TEXTS_CHANGED])


def _changed(one: EditFigure, language: str) -> str:
    return say("text", language, name=one.template, edited=one.edited, rejected=one.rejected)


def corrections(figures: Figures, language: str) -> tuple[str, ...]:
    """Which readings reps corrected to which."""
    return tuple(_correction(one, language) for one in figures.corrections)


def _correction(one: CorrectionFigure, language: str) -> str:
    was, became = reason(one.was, language), reason(one.became, language)
    return say("correction", language, was=was, became=became, count=one.count)


def came_back(figures: Figures, language: str) -> tuple[str, ...]:
    """What must be said beside the shares of those who came back."""
    told = []
    if figures.young:
        told.append(counted("young", figures.young, language, days=YOUNG.days))
    if figures.loyal.of:
        told.append(counted("loyal", figures.loyal.count, language, of=figures.loyal.of))
    return tuple(told)


def letter(figures: Figures, business: Business, language: str) -> Text:
    """The weekly letter: what happened, why, what to do about it. Plain text with short lines, fit for a telephone."""
    cancelled = counted("cancellations", figures.cancellations, language)
    back = [counted("back", figures.came_back, language)] if figures.came_back else []
    name = first_name(business.sender)
    blocks = [
        say("hello", language, name=name) if name else say("hello_all", language),
        say("letter_opens", language, days=days(figures, language), business=business.name),
        *(_alarmed(found, language) for found in figures.alarms),
        " ".join(_happened(figures, language)),
        *_why(figures, language),
        " ".join((*answers(figures, language), *(f"{one}." for one in back), *worth(figures, language))),
        " ".join((*drafts(figures, language), *corrections_in_letter(figures, language))),
        say("letter_more", language),
        say("letter_ends", language, business=business.name),
    ]
    subject = say("letter_subject", language, happened=", ".join((cancelled, *back)))
    return Text(subject=subject, body="\n\n".join(block for block in blocks if block))


def corrections_in_letter(figures: Figures, language: str) -> tuple[str, ...]:
    """The corrections as one sentence, if there were any."""
    found = corrections(figures, language)
    return (f"{say('corrections', language)}: {'; '.join(found)}.",) if found else ()


def _alarmed(found: Alarm, language: str) -> str:
    return "\n".join((alarm(found, language), *(f"  {quoted(quote, language)}" for quote in found.quotes)))


def _happened(figures: Figures, language: str) -> tuple[str, ...]:
    if not figures.cancellations and not figures.other_date.of:
        told = say("nobody", language)
    else:
        told = counted("customers_cancelled", figures.customers, language) + "; "
        told += counted("another", figures.other_date.count, language) + "."
    return (told, *([counted("held", figures.held, language)] if figures.held else []))


def _why(figures: Figures, language: str) -> tuple[str, ...]:
    if not figures.cancellations:
        return ()
    named = (f"{reason(one.reason, language).lower()} {one.count}" for one in figures.reasons[:_LETTER_REASONS])
    can = next(one.count for one in figures.changes if one.change is Change.CAN)
    shown = {quote.text for found in figures.alarms for quote in found.quotes}
    quotes = [quote for one in figures.reasons for quote in one.quotes if quote.text not in shown][:_LETTER_QUOTES]
    words = "\n".join((say("letter_words", language), *(f"  {quoted(quote, language)}" for quote in quotes)))
    return (
        f"{say('letter_why', language, reasons=', '.join(named))} {say('letter_can', language, can=can)}",
        words if quotes else "",
    )
