"""Part what a customer wrote now from what stands below it: history, signature, disclaimer. Never drops a line.

A line goes to the quoted side only for a reason in the tables below. Marks with a date or an address end the new words
for good; `> ` lines do not, for answers stand between and below them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from pipeline.core.cues import ENDINGS, ideas

ATTRIBUTION_LINES = 6  # mailers wrap "On ..., somebody <address> wrote:" over so many lines
ATTRIBUTION_LENGTH = 400
HEADER_BLOCK_LINES = 14  # From to Subject, with an empty line between each two
SIGN_OFF_LINES = 16
SIGNATURE_LINES = 15
SIGNATURE_WIDTH = 300  # characters that tell what a line is
DISCLAIMER_LINES = 60


def cut(text: str) -> tuple[str, str]:
    """The new words of a mail's visible text, and all the rest in its order. In linear time.

    The new words are empty only if the mail quotes or forwards and says nothing of its own, or if a phone alone speaks.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    old = _history(lines)
    quotes = any(old)
    said: list[str] = []
    for start, end in _runs(old):
        for number in _closing(lines, start, end, spoken=bool(said)):
            old[number] = True
        if words := _text(lines[number] for number in range(start, end) if not old[number]):
            said.append(words)
    if not said and not quotes:
        whole = "\n".join(lines).strip("\n")
        return ("", whole) if _is_phone_alone(lines) else (whole, "")
    return "\n\n".join(said), _text(line for line, is_old in zip(lines, old, strict=True) if is_old)


def _text(lines: Iterable[str]) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in lines)).strip("\n")


def _runs(old: Sequence[bool]) -> list[tuple[int, int]]:
    """The spans of new lines."""
    edges = [0, *(n for n in range(1, len(old)) if old[n] != old[n - 1]), len(old)]
    return [(start, end) for start, end in pairwise(edges) if start < end and not old[start]]


# --- history


def _history(lines: Sequence[str]) -> list[bool]:
    """For each line whether somebody wrote it before."""
    old = [False] * len(lines)
    attributions = _attributions(lines)
    number = 0
    while number < len(lines):
        line = lines[number]
        end = number
        if _is_quoted(line):
            end = number + 1
        elif number in attributions:
            end = attributions[number]
        elif _DIVIDER.match(line) or _is_rule_above_headers(lines, number):
            end = _below_headers(lines, number + 1)
        elif _is_header_block(lines, number):
            end = _below_headers(lines, number)
        if end == number:
            number += 1
            continue
        following = _next_words(lines, end)
        if not _is_quoted(line) and not (following < len(lines) and _is_quoted(lines[following])):
            end = len(lines)  # nothing marks where the history ends: it goes to the end
        old[number:end] = [True] * (end - number)
        number = end
    return old


def _is_quoted(line: str) -> bool:
    return line.startswith((">", " >", "  >")) and not line.startswith(">From ")  # which an mbox file does to a new line


def _next_words(lines: Sequence[str], number: int) -> int:
    while number < len(lines) and not lines[number].strip():
        number += 1
    return number


# The verb stands last, or, in Germanic languages, before the name.
_WROTE = re.compile(
    r"(?:\b(?:wrote|writes|escribi[oó]|a [eé]crit|escreveu|ha scritto|geschreven|kirjoitti|napisał(?:\(a\)|a)?|пише[т]?"
    r"|написала?(?:\(а\))?)(?: the following| lo siguiente)?|写道|\b(?:schrieb|schreibt|schreef|skrev)\b.{0,150})"
    r"\W{0,3}[:：]\W*$",
    re.I,
)
# Yahoo on a phone goes on behind the colon, on the same line.
_GOES_ON = re.compile(r"\b(?:wrote|escribi[oó]|a écrit|escreveu|ha scritto|schrieb[^:]{0,150}):(?=[ \t\xa0]{2,}\S)", re.I)
_BY_ONE_PRESENT = re.compile(r"\b(?:I|you|he|she|we|they|me|nos|te|le|les|lo|usted) (?:wrote|escribi[oó])\b", re.I)
_BEGINS_WITH_DATE = re.compile(
    r"\W{0,3}(?:(?:on|el|en|am|le|em|il|op|den|dnia|w dniu|in data)\b.{0,40}?\d|\d{1,4}[./-]\d{1,2}[./-]|\d{1,2}\.? \w)", re.I
)
_DATE = re.compile(r"\d{1,2}[:.h]\d{2}|\b(?:19|20)\d{2}\b|\d{1,2}[./-]\d{1,2}[./-]\d")
_TIME = re.compile(r"\d{1,2}[:.]\d{2}")
_ADDRESS = re.compile(r"[^\s<>@]{1,64}@[^\s<>@]")


def _attributions(lines: Sequence[str]) -> dict[int, int]:
    """Where attributions begin, and the line below each. They end with a colon, so only such lines are looked at."""
    found: dict[int, int] = {}
    for number, line in enumerate(lines):
        goes_on = _GOES_ON.search(line)
        if goes_on or line.rstrip(" *").endswith((":", "：")):
            start = _attribution_start(lines, number, line[: goes_on.end()] if goes_on else line)
            if start is not None:
                found.setdefault(start, number + 1)
    return found


def _attribution_start(lines: Sequence[str], last: int, ending: str) -> int | None:
    """The line on which the attribution begins that ends with `ending` on line `last`: a dated one, else the nearest."""
    following = _next_words(lines, last + 1)
    quoted = following < len(lines) and _is_quoted(lines[following])
    nearest = None
    for start in range(last, max(-1, last - ATTRIBUTION_LINES), -1):
        if start < last and _is_quoted(lines[start]):
            break
        if not lines[start].strip():
            if nearest is not None:
                break
            continue
        joined = " ".join(" ".join(line[:ATTRIBUTION_LENGTH] for line in (*lines[start:last], ending)).split())
        if len(joined) > ATTRIBUTION_LENGTH:
            break
        if _is_attribution(joined, quoted=quoted):
            if _BEGINS_WITH_DATE.match(joined):
                return start
            nearest = start if nearest is None else nearest
    return nearest


def _is_attribution(joined: str, *, quoted: bool) -> bool:
    """Whether a line says who wrote what follows; `quoted`: what follows begins with `>`."""
    dated = bool(_BEGINS_WITH_DATE.match(joined) and _DATE.search(joined))
    addressed = bool(_ADDRESS.search(joined))
    if not _WROTE.search(joined):
        return addressed and dated and bool(_TIME.search(joined))
    return quoted or ((addressed or dated) and not _BY_ONE_PRESENT.search(joined))


_FORWARDS = (
    "original message|forwarded message|forwarded by|mensaje original|mensaje reenviado|reenviado|correo original"
    "|ursprüngliche nachricht|originalnachricht|weitergeleitete nachricht|message d'origine|message original"
    "|message transféré|mensagem original|mensagem encaminhada|messaggio originale|messaggio inoltrato"
    "|oorspronkelijk bericht|doorgestuurd bericht|oprindelig meddelelse|ursprungligt meddelande"
)
_BEGINS = (
    "begin forwarded message|inicio del mensaje reenviado|anfang der weitergeleiteten (?:nachricht|e-mail)"
    "|début du message (?:réexpédié|transféré)|início da mensagem (?:encaminhada|reencaminhada)|inizio messaggio inoltrato"
)
_DIVIDER = re.compile(
    rf"[\s*]*[-_=]{{2,}}[\s*]*(?:{_FORWARDS})\b[^-_=]{{0,60}}[-_=]{{2,}}[\s*]*$|\s*(?:{_BEGINS})\s?:\s*$"
    # Zoho: "---- On Tue, 30 Jun 2026 17:45:10 +0530 Dana <dana@...> wrote ----"
    r"|\s*-{3,} ?(?:on|el|en|am|le|em|il) [^\n]{0,60}\d[^\n]{0,200}\b(?:wrote|escribi[oó]|a écrit|schrieb)\s?:? ?-{3,}\s*$",
    re.I,
)
_RULE = re.compile(r"[\s*]*[-_=]{5,}(?:[^-_=]{1,60}[-_=]{5,})?[\s*]*$")
_HEADER = re.compile(r"[\s*_]{0,4}([^\W\d_][\w' -]{0,18}?)[\s*_]{0,3}[:：]")
_ROLES = {
    name: role
    for role, names in {
        "from": "from,de,von,da,van,fra,från,od,от,expéditeur",
        "date": "date,sent,fecha,enviado,enviado el,enviada,enviada em,data,gesendet,datum,envoyé,inviato,verzonden,sendt,dato"
        ",skickat,wysłano,дата",
        "to": "to,para,an,à,a,til,till,aan,do,кому,cc,reply-to,responder a",
        "subject": "subject,asunto,betreff,objet,assunto,oggetto,onderwerp,emne,ämne,temat,тема",
    }.items()
    for name in names.split(",")
}


def _role(line: str) -> str | None:
    header = _HEADER.match(line)
    return _ROLES.get(header[1].lower()) if header else None


def _is_header_block(lines: Sequence[str], number: int) -> bool:
    """Whether the headers of an earlier mail begin here: who and when, and to whom or about what.

    Less is no proof: web forms send From and Subject, and a customer may write "From: December I can't pay".
    """
    if _role(lines[number]) not in ("from", "date"):
        return False
    block = [(_role(line), line) for line in lines[number : _below_headers(lines, number)]]
    roles = {role for role, _ in block}
    dated = any(role == "date" and _DATE.search(line) for role, line in block)
    return dated and "from" in roles and not roles.isdisjoint({"to", "subject"})


def _is_rule_above_headers(lines: Sequence[str], number: int) -> bool:
    if not _RULE.match(lines[number]):
        return False
    following = _next_words(lines, number + 1)
    return following < min(len(lines), number + 4) and _is_header_block(lines, following)


def _below_headers(lines: Sequence[str], number: int) -> int:
    """The line below the headers that begin here; a header may go on for a line, and there may be empty lines between."""
    end = number
    wrapped = False
    for at in range(number, min(len(lines), number + HEADER_BLOCK_LINES)):
        if _role(lines[at]):
            end, wrapped = at + 1, False
        elif lines[at].strip():
            if wrapped or end != at:
                break
            wrapped = True
    return end


# --- what closes a mail

_DELIMITER = re.compile(r"(?:--|—|–) ?$")
_DECORATION = re.compile(r"[\s_=*#~+.|ᐧ-]*$")
_LINK = re.compile(r"<[^<>]*>|\(https?:[^()]*\)|\[[^\[\]]*\]")
_SENT = re.compile(
    r"\W{0,8}(?:sent|enviad[oa]|envoyé|gesendet|inviato|sendt|skickat|verzonden|verstuurd|diese|von meinem) ", re.I
)
_SENT_FROM = re.compile(
    r"\W{0,8}(?:\w+ (?:from|desde|de|a través de|depuis|do|da|von|mit|via|fra|från|van|using)\s[^.,;:!?]{1,50}\W*$"
    r"|(?:diese nachricht wurde )?von meinem .{1,50} gesendet)",
    re.I,
)
_DEVICE = re.compile(
    r"i ?phone|i ?pad|android|galaxy|samsung|huawei|xiaomi|redmi|motorola|nokia|blackberry|outlook|yahoo|gmail|hotmail"
    r"|proton|\bmail\b|\bcorreo\b|m[óo]vil|celular|tel[ée]fono|phone|mobile?\b|handy|tablet",
    re.I,
)
_FOOTERS = re.compile(
    r"\W{0,8}(?:(?:get|obt[eé]n|obtener|obtenga|descarga|télécharger|holen sie sich) (?:outlook|yahoo|gmail|bluemail)\b"
    r"|(?:sent|enviad[oa]|envoyé|gesendet) (?:with|con|avec|mit) \[?proton ?mail\b[^,;!?]{0,80}$"
    r"|virus-free|libre de virus|this e-?mail has been checked for viruses|este (?:correo|e-?mail).{0,30}virus"
    r"|(?:please )?(?:consider|think).{0,40}(?:before (?:you )?print|environment)|antes de imprimir|piense en el medio)",
    re.I,
)

# Two of these make a paragraph a disclaimer. Each of them has one of the stems, which are quicker to look for.
_DISCLAIMER_STEMS = (
    *("confiden", "disclaimer", "legal", "privileged", "intended", "in error", "mistake", "unauthori", "prohibi", "addressee"),
    *("destinatari", "por error", "informamos", "lopd", "rgpd", "gdpr", "datos", "tratamiento", "vertraulich", "riservat"),
)
_DISCLAIMS = re.compile(
    r"confidential(?:ity)?\b|disclaimer|legal notice|privileged|intended (?:recipient|only|solely|exclusively|for)"
    r"|(?:received|receive|get) (?:this|it|the).{0,40}(?:in error|by mistake)|unauthori[sz]ed|strictly prohibited"
    r"|addressee|confidencial(?:idad)?\b|aviso legal|advertencia legal|dirigid[oa] .{0,40}destinatari|destinatari[oa]"
    r"|(?:recib|llega).{0,60}por error|por error.{0,40}(?:recib|elim|notif|comuni)|prohibid[oa]|le informamos (?:de )?que"
    r"|(?:lopd|rgpd|gdpr)\b|protección de datos|responsable (?:del|de su) tratamiento|vertraulich|confidentiel|confidenciais"
    r"|riservat",
    re.I,
)
_OWN_WORDS = re.compile(
    r"\bI\b|(?i:\b(?:my|me|mine|mi|mis|yo|solicito|quiero|quisiera|deseo|exijo|ejerzo|ruego|pido|please cancel)\b)"
)

_SIGN_OFF = re.compile(
    r"\W{0,8}(?:(?:with )?(?:kind(?:est)?|best|warm(?:est)?|many)? ?(?:regards|wishes)|best|all the best|cheers|take care"
    r"|sincerely|respectfully|(?:yours )?(?:sincerely|faithfully|truly)(?: yours)?|(?:many )?thank(?:s| you)(?: .{0,30})?"
    r"|(?:un |muchos |cordiales |atentos )?(?:cordial |afectuoso |fuerte )?(?:saludos?|abrazos?|besos)(?: .{0,25})?"
    r"|atentamente|cordialmente|atte|(?:muchas |mil )?gracias(?: .{0,30})?|reciban? .{0,40}saludo.{0,20}"
    r"|mit freundlichen grüßen|(?:viele|beste|liebe) grüße|cordialement|bien à vous|atenciosamente|cumprimentos|obrigad[oa]"
    r"|cordiali saluti|grazie)\W{0,8}$",
    re.I,
)
_POSTSCRIPT = re.compile(r"\W{0,8}(?:p\.? ?[sd]\b|post ?(?:data|scriptum)|nota\b|note\b)", re.I)
_CONTACT = re.compile(
    r"[^\s@]@[^\s@]|https?://|www\.|(?:\+|\(|\b)\d(?:[\s().-]{0,2}\d){6,}|\b(?:tel|tlf|tfno|phone|mobile|cell|móvil|fax)\b\W"
    r"|\b(?:S\.?L\.?U?|S\.?A|Ltd|LLC|Inc|GmbH)\b\.?|\b(?:calle|c/|avda|avenida|plaza|street|road|avenue|suite)\b",
    re.I,
)


def _closing(lines: Sequence[str], start: int, end: int, *, spoken: bool) -> set[int]:
    """The lines of a span of new lines that close it and say nothing. `spoken`: there were new words above it."""
    found = {n for n in range(start, end) if _is_sent_from(lines[n])}
    words = [n for n in range(start, end) if n not in found and not _DECORATION.match(lines[n])]
    for first in (_delimiter(lines, start if spoken else None, words), _disclaimer(lines, words)):
        if first is not None:
            words = [n for n in words if n < first]
            found.update(range(first, end))
    found.update(_contacts(lines, words))
    found.update(range(words[-1] + 1 if words else start, end))
    return found


def _is_sent_from(line: str) -> bool:
    if _FOOTERS.match(line):
        return True
    return bool(_SENT.match(line) and _SENT_FROM.match(_LINK.sub("", line)) and _DEVICE.search(line))


def _is_phone_alone(lines: Sequence[str]) -> bool:
    return any(map(_is_sent_from, lines)) and all(_is_sent_from(line) or _DECORATION.match(line) for line in lines)


def _delimiter(lines: Sequence[str], start: int | None, words: Sequence[int]) -> int | None:
    """The signature delimiter (RFC 3676 section 4.3). Without its space it counts only above what no customer tells.

    It is looked for from line `start` on; if that is None, below the first words, for nobody begins with a signature.
    """
    if not words:
        return None
    last_sentence = next((n for n in reversed(words) if _is_sentence(lines[n])), -1)
    candidates = range(words[0] + 1 if start is None else start, words[-1] + 1)
    first = next((n for n in candidates if lines[n] == "-- " or (n > last_sentence and _DELIMITER.match(lines[n]))), None)
    if first is not None:
        return first
    # HTML and many a mail program lose the space. Whoever signs, with a motto or what the shop does, gives a name first.
    edges = [candidates.start - 1, *words][-SIGNATURE_LINES - 1 :]
    for at, (above, below) in enumerate(pairwise(edges), 1):
        bare = next((n for n in range(above + 1, below) if lines[n].rstrip() == "--"), None)
        if bare is not None and _is_signature([lines[n] for n in edges[at:]]):
            return bare
    return None


def _is_signature(below: Sequence[str]) -> bool:
    """Whether a name stands first, and nothing below it is a customer's to say."""
    return not _is_sentence(below[0]) and not any(_may_be_said(line) for line in below)


def _may_be_said(line: str) -> bool:
    line = line[:SIGNATURE_WIDTH]
    asks = line.rstrip().endswith("?")
    return bool(asks or _POSTSCRIPT.match(line) or _OWN_WORDS.search(line) or not ENDINGS.isdisjoint(ideas(line)))


def _disclaimer(lines: Sequence[str], words: Sequence[int]) -> int | None:
    """The first line of a disclaimer that ends the words: nothing below it is in the first person."""
    first = None
    tail = "\n".join(lines[n] for n in words[-DISCLAIMER_LINES:]).lower()
    if not any(stem in tail for stem in _DISCLAIMER_STEMS):
        return None
    for paragraph in reversed(_paragraphs(words[-DISCLAIMER_LINES:])):
        joined = " ".join(lines[n] for n in paragraph)
        if _OWN_WORDS.search(joined) or joined.rstrip().endswith("?"):
            break
        opening = next((n for n in paragraph if _DISCLAIMS.match(lines[n].lstrip(" *_-"))), paragraph[0])
        text = " ".join(lines[n] for n in paragraph if n >= opening)
        if len({hit.lower() for hit in _DISCLAIMS.findall(text)}) >= 2:
            first = opening
    return first


def _paragraphs(numbers: Sequence[int]) -> list[list[int]]:
    paragraphs: list[list[int]] = []
    for number in numbers:
        if paragraphs and paragraphs[-1][-1] == number - 1:
            paragraphs[-1].append(number)
        else:
            paragraphs.append([number])
    return paragraphs


def _contacts(lines: Sequence[str], words: Sequence[int]) -> list[int]:
    """The name, number and address below the words that end a letter."""
    found: list[int] = []
    for number in reversed(words[-SIGN_OFF_LINES:]):
        if _SIGN_OFF.match(lines[number]):
            return found if any(_CONTACT.search(lines[n]) for n in found) else []
        if _is_sentence(lines[number]):
            break
        found.append(number)
    return []


def _is_sentence(line: str) -> bool:
    """Whether somebody says something here: then it is no part of a signature."""
    line = line[:SIGNATURE_WIDTH]
    count = len(line.split())
    if _POSTSCRIPT.match(line) or (count > 2 and (_OWN_WORDS.search(line) or line.rstrip().endswith(("?", "!")))):
        return True
    return count > 7 and not _CONTACT.search(line) and not _DISCLAIMS.search(line)
