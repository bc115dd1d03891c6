"""Make the outgoing mail: what fills a template, which headers thread and mark it, and its bytes. Sends nothing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from email import policy
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.utils import format_datetime
from zoneinfo import ZoneInfo

from pipeline.core.records import Address, Business, Case, Draft, FollowUp, Kind, Message, Rules, Send, Text, Verdict
from pipeline.errors import TextRefused

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


def first_name(who: Address) -> str:
    """The name to greet with, or "" when the shown name is not one a careful person would use (reliability rule C10)."""
    name = unicodedata.normalize("NFC", who.name).strip().strip("\"'")
    if _NO_NAME.search(name):
        return ""
    if "," in name:  # "Lopez, Maria"
        name = name.split(",", 1)[1].strip()
    words = [word for word in name.split() if not _TITLE.fullmatch(word)]
    first = words[0] if words else ""
    if not _NAME.fullmatch(first) or len(first) > 24 or not _one_script(first):
        return ""
    return first.capitalize() if first.islower() or (first.isupper() and len(first) > 2) else first


_NO_NAME = re.compile(r"[@\d$€£]|://|www\.", re.IGNORECASE)
_TITLE = re.compile(r"(?:mr|mrs|ms|miss|dr|prof|sir|sr|sra|srta|dra|don|doña|d|dña|lic|ing)\.?", re.IGNORECASE)
_NAME = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*\.?")


def _one_script(word: str) -> bool:
    letters = [unicodedata.name(letter, "?").split()[0] for letter in word if letter.isalpha()]
    return len(set(letters)) == 1


def values(recipient: Address, language: str, sent: datetime, wished: date | None, rules: Rules) -> Mapping[str, str]:
    """What a template may use: plain texts only, the same names for every template."""
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
    }


def acknowledgment(
    message: Message, verdict: Verdict, template: str, text: Text, *, key: str, review: bool, why: tuple[str, ...], rules: Rules
) -> Draft:
    """The draft that answers a cancellation at once. Raises TextRefused when the text breaks a rule of playbook B."""
    assert message.sender is not None, "screening lets no mail without a sender through"
    body = checked(text.body, Kind.ACKNOWLEDGMENT, template)
    return Draft(
        key=key,
        kind=Kind.ACKNOWLEDGMENT,
        case=message.key,
        number=0,
        recipient=message.sender,
        subject=reply_subject(message.subject, verdict.language) or text.subject,
        text=body,
        quote=quote(message.sender, message.text, message.sent or message.arrived, verdict.language, rules.business),
        language=verdict.language,
        template=template,
        headers=threading(message.message_id, message.thread),
        notes=notes(verdict, Kind.ACKNOWLEDGMENT, 0, why),
        reason=str(verdict.reason or verdict.intent),
        review=review,
    )


def touch(step: FollowUp, case: Case, text: Text, *, key: str, review: bool, why: tuple[str, ...], rules: Rules) -> Draft:
    """The draft of one follow-up, threaded under the mail that began the case. Raises TextRefused."""
    body = checked(text.body, Kind.FOLLOW_UP, step.template)
    return Draft(
        key=key,
        kind=Kind.FOLLOW_UP,
        case=case.message,
        number=step.number,
        recipient=case.recipient,
        subject=text.subject,
        text=body + footer(case.language, rules.business),
        quote=quote(case.recipient, case.text, case.sent, case.language, rules.business),
        language=case.language,
        template=step.template,
        headers=(*threading(case.message_id, case.thread), ("List-Unsubscribe", _unsubscribe(rules.business))),
        notes=(
            ("Kind", f"follow-up {step.number} of track {step.track}"),
            *(("Why", sentence) for sentence in why),
        ),
        reason=str(case.reason or ""),
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
    line = {
        "en": 'If you would rather not hear from us again, just reply "stop".',
        "es": "Si prefiere no recibir más mensajes nuestros, responda «baja».",
    }[language]
    who = ", ".join(part for part in (business.name, business.address) if part)
    return f"\n\n--\n{who}\n{line}"


def _unsubscribe(business: Business) -> str:
    return f"<mailto:{business.sender.address}?subject=unsubscribe>"


def notes(verdict: Verdict, kind: Kind, number: int, why: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """What a rep wants to know about a draft; it stands in the draft file and never leaves."""
    found = [("Kind", str(kind)), ("Intent", str(verdict.intent))]
    if verdict.reason:
        reason = f"{verdict.reason} ({verdict.subreason})" if verdict.subreason else str(verdict.reason)
        found.append(("Reason", reason))
    found.append(("Confidence", f"{verdict.confidence:.2f}"))
    if verdict.runner_up:
        found.append(("Runner-Up", verdict.runner_up))
    found += [("Evidence", f'"{span.text}"') for span in verdict.evidence[:3]]
    found += [("Date", f'"{day.text}": {day.day.isoformat()} ({day.kind})') for day in verdict.dates[:4]]
    if verdict.sensitive:
        found.append(("Sensitive", str(verdict.sensitive)))
    if verdict.opt_out:
        found.append(("Opt-Out", "yes: nothing more will be sent after this"))
    return (*found, *(("Why", sentence) for sentence in why))


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


# Words that sell. An acknowledgment is a service message and has none of them (playbook B1).
_SELLS = re.compile(
    r"\b(?:discounts?|coupons?|promo(?:tion|ción|cional)?s?|% off|special offers?|free (?:month|week)s?|save \d+|limited time"
    r"|descuentos?|cup[oó]n(?:es)?|oferta especial|gratis|rebajas?|por tiempo limitado|ahorra)\b",
    re.IGNORECASE,
)

# Claims that only a person or the booking system can make true (playbook B2).
_CLAIMS = re.compile(
    r"\b(?:is|has been|have been|was|are) (?:now )?(?:cancell?ed|refunded)\b"
    r"|\b(?:est[áa]|queda|ha sido|hemos) (?:ya )?(?:cancelad[oa]|anulad[oa]|dad[oa] de baja|reembolsad[oa])\b",
    re.IGNORECASE,
)
_UNFILLED = re.compile(r"\{\{|\}\}|\{%|%\}|\bNone\b|\bundefined\b|\[(?:name|nombre|date|fecha)\]", re.IGNORECASE)


def checked(text: str, kind: Kind, template: str) -> str:
    """Give the text back, or raise TextRefused naming the template and the rule of playbook B that it breaks."""
    text = text.strip("\n")
    acknowledges = kind is Kind.ACKNOWLEDGMENT
    table = (
        (not text.strip(), "it is empty"),
        (_UNFILLED.search(text) is not None, "something in it was not filled in"),
        (_CLAIMS.search(text) is not None, "it claims what nobody has confirmed yet (B2)"),
        (acknowledges and _SELLS.search(text) is not None, "an acknowledgment offers nothing (B1)"),
        (acknowledges and text.count("?") > 1, "an acknowledgment asks one question at most (B1)"),
    )
    broken = [why for applies, why in table if applies]
    if broken:
        raise TextRefused(f"template {template}: {'; '.join(broken)}. Change the text and run `winback check`")
    return text


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
        mail = EmailMessage(policy=policy.SMTP if draft.recipient.address.isascii() else policy.SMTPUTF8)
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
        mail["X-Winback-Id"] = stamp
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
