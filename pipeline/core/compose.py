"""Make the outgoing mail: what fills a template, which headers thread and mark it, and its bytes. Sends nothing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from email import policy
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.utils import format_datetime
from zoneinfo import ZoneInfo

from pipeline.core.records import (
    Address,
    Appointment,
    Business,
    Case,
    Draft,
    FollowUp,
    FollowUpRules,
    Kind,
    Message,
    Rules,
    Send,
    Text,
    Verdict,
    whole_percent,
)
from pipeline.errors import TextRefused

OUR_ID = "X-Winback-Id"  # stays when a provider gives a mail a Message-ID of its own
QUOTE_LINES = 60
_WIDTH = 76

_MONTHS = {
    "en": "January February March April May June July August September October November December".split(),
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split(),
}


def day_in_words(day: date, language: str) -> str:
    """A date as a person writes it: `22 November`, `22 de noviembre`."""
    month = _MONTHS[language][day.month - 1]
    return f"{day.day} de {month}" if language == "es" else f"{day.day} {month}"


_WEEKDAYS = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(),
    "es": "lunes martes miércoles jueves viernes sábado domingo".split(),
}


def moment_in_words(moment: datetime, language: str, *, timed: bool = True) -> str:
    """A local time as a person writes it: `Thursday 26 November at 15:00`, `el jueves 26 de noviembre a las 15:00`."""
    day, weekday = day_in_words(moment.date(), language), _WEEKDAYS[language][moment.weekday()]
    said = f"{weekday} {day}" if language == "en" else f"el {weekday} {day}"
    if not timed:
        return said
    at = "a la" if moment.hour == 1 else "a las"
    return f"{said} at {moment:%H:%M}" if language == "en" else f"{said} {at} {moment:%H:%M}"


def appointment_in_words(one: Appointment, language: str, business: Business) -> str:
    """When an appointment is, or was, by the clock of the business."""
    return moment_in_words(one.start.astimezone(ZoneInfo(business.timezone)), language, timed=one.timed)


def slots_in_words(slots: Sequence[datetime], language: str, business: Business) -> str:
    """Free times, a line each; "" when there are none."""
    zone = ZoneInfo(business.timezone)
    return "\n".join(f"- {moment_in_words(slot.astimezone(zone), language)}" for slot in slots)


def hours_in_words(language: str, rules: FollowUpRules) -> str:
    """When the business can be reached, as its quiet hours and days imply; "" when they say nothing of the kind."""
    days = sorted(rules.days)
    if not days or rules.quiet_from <= rules.quiet_to:
        return ""
    names = [_WEEKDAYS[language][day] for day in days]
    before, to, last, at = {"en": ("", "to", "and", "{} to {}"), "es": ("de ", "a", "y", "de {} a {}")}[language]
    run = len(days) > 2 and days == list(range(days[0], days[-1] + 1))
    said = f"{before}{names[0]} {to} {names[-1]}" if run else f" {last} ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    return f"{said}, {at.format(f'{rules.quiet_to:%H:%M}', f'{rules.quiet_from:%H:%M}')}"


def first_name(who: Address) -> str:
    """The name to greet with, or "" when the shown name is not one a careful person would use (reliability rule C10)."""
    name = unicodedata.normalize("NFC", who.name).strip().strip("\"'")
    if _NO_NAME.search(name):
        return ""
    if "," in name:  # "Lopez, Maria"
        name = name.split(",", 1)[1].strip()
    words = [word for word in name.split() if not _TITLE.fullmatch(word)]
    first = words[0] if words else ""
    if not _NAME.fullmatch(first) or len(first) > 24 or not _one_script(first) or first.lower() in _NOBODY:
        return ""
    if unicodedata.normalize("NFKC", first) != first:  # letters that only look like letters
        return ""
    return first.capitalize() if first.islower() or (first.isupper() and len(first) > 2) else first


_NO_NAME = re.compile(r"[@\d$€£]|://|www\.", re.IGNORECASE)
_TITLE = re.compile(r"(?:mr|mrs|ms|miss|dr|prof|sir|sr|sra|srta|dra|don|doña|d|dña|lic|ing)\.?", re.IGNORECASE)
_NOBODY = frozenset({"none", "null", "nil", "nan", "undefined", "unknown", "anonymous"})  # what programs write for no name
_NAME = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*\.?")


def _one_script(word: str) -> bool:
    letters = [unicodedata.name(letter, "?").split()[0] for letter in word if letter.isalpha()]
    return len(set(letters)) == 1


def unread(variants: Sequence[str], read: Sequence[str]) -> str:
    """The first of a text's variants that a customer has not read, else the one whose reading lies furthest back."""
    last = {name: place for place, name in enumerate(read)}
    return min(variants, key=lambda name: last.get(name, -1))


def values(
    recipient: Address, language: str, sent: datetime, wished: date | None, rules: Rules, *, keeps_in_touch: bool = False
) -> Mapping[str, str]:
    """What a template may use: plain texts only, the same names for every template. What is not so, or not known, is empty."""
    business = rules.business
    first = first_name(recipient)
    hello = {"en": f"Hi {first}," if first else "Hello,", "es": f"Hola, {first}:" if first else "Hola:"}[language]
    return {
        "hello": hello,
        "name": first,
        "business": business.name,
        "rep": first_name(business.sender) or business.name,
        "phone": business.phone,
        "address": business.address,
        "reschedule_url": business.reschedule_url,
        "received": day_in_words(sent.astimezone(ZoneInfo(business.timezone)).date(), language),
        "wished": day_in_words(wished, language) if wished else "",
        "keeps_in_touch": "yes" if keeps_in_touch else "",
        "hours": hours_in_words(language, rules.follow_ups),
        **dict.fromkeys(MORE, ""),
    }


# What only some texts are about: an appointment, free times, a section of the policy, a piece of content.
MORE = ("when", "service", "slots", "section", "next_section", "content")


def acknowledgment(
    message: Message,
    verdict: Verdict,
    template: str,
    text: Text,
    *,
    key: str,
    review: bool,
    why: tuple[str, ...],
    about: tuple[tuple[str, str], ...] = (),
    rules: Rules,
) -> Draft:
    """The draft that answers a cancellation at once.

    `about` are further notes for the rep: the freed slot, and what the policy says of money.
    """
    assert message.sender is not None, "screening lets no mail without a sender through"
    return Draft(
        key=key,
        kind=Kind.ACKNOWLEDGMENT,
        case=message.key,
        number=0,
        recipient=message.sender,
        subject=reply_subject(message.subject, verdict.language) or text.subject,
        text=text.body,
        quote=quote(message.sender, message.text, message.sent or message.arrived, verdict.language, rules.business),
        language=verdict.language,
        template=text.name or template,
        headers=threading(message.message_id, message.thread),
        notes=notes(verdict, Kind.ACKNOWLEDGMENT, 0, why, about),
        reason=str(verdict.reason or verdict.intent),
        review=review,
    )


def touch(
    step: FollowUp,
    case: Case,
    text: Text,
    *,
    key: str,
    review: bool,
    why: tuple[str, ...],
    rules: Rules,
    ticket: str,
    until: datetime | None = None,
) -> Draft:
    """The draft of one follow-up, threaded under the mail that began the case. `ticket` ends the follow-ups to its customer."""
    return Draft(
        key=key,
        kind=Kind.FOLLOW_UP,
        case=case.message,
        number=step.number,
        recipient=case.recipient,
        subject=text.subject,
        text=text.body + footer(case.language, rules.business),
        quote=quote(case.recipient, case.text, case.sent, case.language, rules.business),
        language=case.language,
        template=text.name or step.template,
        headers=(*threading(case.message_id, case.thread), *_unsubscribe(ticket, rules)),
        notes=(
            ("Kind", f"follow-up {step.number} of track {step.track}"),
            *(("Why", sentence) for sentence in why),
        ),
        reason=str(case.reason or ""),
        review=review,
        until=until,
    )


def note(
    case: Case,
    template: str,
    text: Text,
    *,
    key: str,
    review: bool,
    why: tuple[str, ...],
    about: tuple[tuple[str, str], ...] = (),
    rules: Rules,
) -> Draft:
    """The draft of a note about the customer's own appointment. `about` as for `acknowledgment`."""
    return Draft(
        key=key,
        kind=Kind.NOTE,
        case=case.message,
        number=0,
        recipient=case.recipient,
        subject=text.subject,
        text=text.body,
        quote=quote(case.recipient, case.text, case.sent, case.language, rules.business) if case.text else "",
        language=case.language,
        template=text.name or template,
        headers=threading(case.message_id, case.thread),
        notes=(("Kind", "note"), *about, *(("Why", sentence) for sentence in why)),
        reason=str(case.reason or template),
        review=review,
    )


def letter(text: Text, to: Address, language: str, *, key: str, of: str, review: bool) -> Draft:
    """The draft of a letter to the owner; it answers no mail. `of` names what stands in the place of the mail."""
    return Draft(
        key=key,
        kind=Kind.LETTER,
        case=of,
        number=0,
        recipient=to,
        subject=text.subject,
        text=text.body,
        quote="",
        language=language,
        template="letter",
        notes=(("Kind", "weekly letter to the owner"), ("Why", "The week is over; report.weekly asks for a letter.")),
        reason="weekly letter",
        review=review,
    )


def footer(language: str, business: Business) -> str:
    """Who writes, from where, and how to end it: every follow-up carries it (playbook B5)."""
    line = _OPT_OUT[language, business.address_form] if language == "es" else _OPT_OUT["en", ""]
    who = ", ".join(part for part in (business.name, business.address) if part)
    return f"\n\n--\n{who}\n{line}"


_OPT_OUT = {
    ("en", ""): 'If you would rather not hear from us again, just reply "stop".',
    ("es", "usted"): "Si prefiere no recibir más mensajes nuestros, responda «baja».",
    ("es", "tu"): "Si prefieres no recibir más mensajes nuestros, responde «baja».",
}


def _unsubscribe(ticket: str, rules: Rules) -> tuple[tuple[str, str], ...]:
    """The headers that mail programs turn into a button (RFC 2369, and RFC 8058 when there is a page that takes one click)."""
    by_mail = f"<mailto:{rules.business.sender.address}?subject=unsubscribe%20{ticket}>"
    page = rules.follow_ups.unsubscribe_url
    if not page:
        return (("List-Unsubscribe", by_mail),)
    link = f"<{page}{'&' if '?' in page else '?'}t={ticket}>"
    return (("List-Unsubscribe", f"{link}, {by_mail}"), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))


def notes(
    verdict: Verdict, kind: Kind, number: int, why: tuple[str, ...], about: tuple[tuple[str, str], ...] = ()
) -> tuple[tuple[str, str], ...]:
    """What a rep wants to know about a draft; it stands in the draft file and never leaves."""
    found = [("Kind", str(kind)), ("Intent", str(verdict.intent))]
    if verdict.reason:
        reason = f"{verdict.reason} ({verdict.subreason})" if verdict.subreason else str(verdict.reason)
        found.append(("Reason", reason))
    if verdict.asked:
        found.append(("Answers", f'"{verdict.asked}"'))
    found.append(("Confidence", f"{whole_percent(verdict.confidence) / 100:.2f}"))
    if verdict.runner_up:
        found.append(("Runner-Up", verdict.runner_up))
    found += [("Evidence", f'"{span.text}"') for span in verdict.evidence[:3]]
    found += [("Date", f'"{day.text}": {day.day.isoformat()} ({day.kind})') for day in verdict.dates[:4]]
    if verdict.sensitive:
        found.append(("Sensitive", str(verdict.sensitive)))
    if verdict.opt_out:
        found.append(("Opt-Out", "yes: nothing more will be sent after this"))
    return (*found, *about, *(("Why", sentence) for sentence in why))


def threading(message_id: str | None, thread: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """The headers that put an answer under the customer's mail (RFC 5322 section 3.6.4); none without a Message-ID.

    An id that looks like an encoded word (RFC 2047) is left out, for it must not be changed and would be decoded.
    """
    if message_id is None or _ENCODED in message_id:
        return ()
    line = [*(name for name in thread if name != message_id and _ENCODED not in name), message_id]
    return (("In-Reply-To", message_id), ("References", " ".join(line[:1] + line[1:][-9:])))


_RE = re.compile(r"^\s*(?:re|aw|sv|rv|fw|fwd|antw|res)\s*(?:\[\d+\])?\s*:\s*", re.IGNORECASE)


def reply_subject(subject: str, language: str) -> str:
    """`Re: ` and the customer's subject without its own `Re:`s; "" when there was none."""
    while (cut := _RE.sub("", subject, count=1)) != subject:
        subject = cut
    subject = " ".join(subject.split())[:200]
    return f"Re: {subject}" if subject else ""


def quote(who: Address, text: str, sent: datetime, language: str, business: Business) -> str:
    """The customer's words below ours, with the line that says who wrote them and when; at most 60 lines."""
    local = sent.astimezone(ZoneInfo(business.timezone))
    day, name = day_in_words(local.date(), language), who.name or who.address
    said = {
        "en": f"On {day} {local.year}, {name} wrote:",
        "es": f"El {day} de {local.year}, {name} escribió:",
    }[language]
    lines = text.strip().splitlines()
    shown = [f"> {line}" if line else ">" for line in lines[:QUOTE_LINES]]
    if len(lines) > QUOTE_LINES:
        shown.append("> [...]")
    return "\n".join((said, *shown)) if shown else ""


# The email package writes a word that is longer than a line as an encoded word, and then it is no link and no Message-ID any
# more. So lines may have the length that RFC 5322 section 2.1.1 allows at most.
_SMTP = policy.SMTP.clone(max_line_length=998)
_SMTPUTF8 = policy.SMTPUTF8.clone(max_line_length=998)


def outgoing(draft: Draft, text: str, subject: str, stamp: str, *, automatic: bool, rules: Rules, now: datetime) -> Send:
    """Freeze a draft into the bytes of one mail for one recipient.

    `text` is the whole body as it will be read (a rep may have edited it), `stamp` the left part of its Message-ID, which
    also stands in `X-Winback-Id`, so that our own mail is known again wherever it comes back (reliability rule C5).
    An automatic mail says so (RFC 3834 section 3.1.7). Raises TextRefused when a value can't stand in a header.
    """
    business = rules.business
    message_id = f"<{stamp}@{business.domain}>"
    try:
        # RFC 6532: an address that is not ASCII stands in a header as it is.
        mail = EmailMessage(policy=_SMTP if draft.recipient.address.isascii() else _SMTPUTF8)
        mail["From"] = _mailbox(business.sender)
        mail["To"] = _mailbox(draft.recipient)
        mail["Subject"] = _undecoded(subject)
        mail["Date"] = format_datetime(now)
        mail["Message-ID"] = message_id
        for name, value in draft.headers:
            mail[name] = value
        if automatic:
            mail["Auto-Submitted"] = "auto-replied" if draft.kind is Kind.ACKNOWLEDGMENT else "auto-generated"
            mail["X-Auto-Response-Suppress"] = "All"
        mail[OUR_ID] = stamp
        mail.set_content(text.rstrip("\n") + "\n", cte="quoted-printable")
        data = bytes(mail)
    except (ValueError, UnicodeError) as error:
        raise TextRefused(f"draft {draft.key[:8]} can't be made into a mail: {error}") from error
    if _written_headers(data) != [name.encode() for name in mail.keys()]:  # noqa: SIM118 - a name may stand there twice
        raise TextRefused(f"draft {draft.key[:8]} can't be made into a mail: a value breaks out of its header")
    return Send(
        key=f"mail:{draft.key}",
        draft=draft.key,
        message_id=message_id,
        recipient=draft.recipient.address,
        data=data,
        automatic=automatic,
    )


def _mailbox(who: Address) -> HeaderAddress:
    local, _, domain = who.address.rpartition("@")
    return HeaderAddress(display_name=_undecoded(who.name), username=local, domain=domain)


_ENCODED = "=?"  # with which an encoded word begins


def _undecoded(value: str) -> str:
    """A value in which the email package finds no encoded word: it would decode it, and line breaks would come out of it."""
    return value.replace(_ENCODED, "= ?")


def _written_headers(data: bytes) -> list[bytes]:
    """The names of the headers as a server will find them. A line break that is none to everybody gives a name of its own."""
    lines = re.split(rb"\r\n|\r|\n", data.partition(b"\r\n\r\n")[0])
    return [line.partition(b":")[0] for line in lines if not line.startswith((b" ", b"\t"))]


def whole_body(draft: Draft) -> str:
    """Our text and the customer's words below it, as the draft file shows them and the mail carries them."""
    return f"{draft.text}\n\n{draft.quote}" if draft.quote else draft.text
