"""Decide whether a mail may be answered: is it a bounce, may we write back, is there doubt. Sends nothing.

Whether the mail is a cancellation is not asked here. A wrong "no" costs a rep one look, a wrong "yes" can start a mail
loop: so one sign of a machine is enough, and wording can only ever make us more silent.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pipeline.core.records import Failure, History, Message, Rules, Screening, mailbox

OUR_HEADER = "x-winback-id"
MOST_HOPS = 50
DEEPEST_THREAD = 20
OPENING = 600  # characters at the beginning of a text in which an answering machine introduces itself
FOOTER = 2_000  # characters at its end in which a mailing says how to leave it
REPORT = 20_000  # characters of a bounce that are read: what it has to say stands above the mail it returns
MOST_RECIPIENTS = 20  # that are taken from the text of one bounce; a mail of ours has one
LONGEST_RESULTS = 4_000  # characters of an Authentication-Results that is believed; honest ones are far below
LONGEST_NOTE = 10_000  # characters; people do not write that much to a small business, and newsletters do
MOST_LINKS = 10


def screen(message: Message, rules: Rules, history: History) -> Screening:
    """What may be done with a mail, whatever it says: the first of CHECKS that stops it, the DOUBTS if none does."""
    mail = _opened(message, rules, history)
    check = next((name for name, stops in CHECKS if stops(mail)), None)
    lost = _casualties(mail) if check == "bounce" else {}
    doubts = [] if check else [sentence for sentence, arises in DOUBTS if arises(mail)]
    return Screening(
        check=check,
        may_reply=check is None,
        is_bounce=check == "bounce",
        bounced=tuple(lost),
        dead=tuple(address for address, is_dead in lost.items() if is_dead),
        authenticated=_is_authenticated(mail),
        doubt="; ".join(doubts) or None,
    )


class Past(NamedTuple):
    """All that screening wants to know of the past: see History."""

    suppressed: str | None
    counterpart: str | None
    answered_thread: bool

    @classmethod
    def of(cls, history: History) -> Past:
        """What there is of it in a history."""
        return cls(history.suppressed, history.counterpart, history.answered_thread)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Voucher:
    """One result of Authentication-Results: `dmarc`, `fail` and the domain it speaks of, in lower case.

    The domain may be missing from `dmarc` alone, which can speak of none but that of From.
    """

    method: str
    result: str
    domain: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Mail:
    """A message with what the checks ask of it, found once.

    `headers` maps a name to its values in lower case, topmost first. `subject` is plain and in lower case. `ends` are the
    plain beginning and end of the customer's own words. `vouchers` is what a trusted server said of the sender. `own` are
    the mailbox's own addresses, empty if they are not known.
    """

    message: Message
    past: Past
    headers: Mapping[str, list[str]]
    subject: str
    ends: str
    vouchers: tuple[_Voucher, ...]
    own: frozenset[str]

    def all(self, name: str) -> list[str]:
        return self.headers.get(name, [])

    def first(self, name: str) -> str:
        return next(iter(self.all(name)), "")


def _opened(message: Message, rules: Rules, history: History) -> _Mail:
    headers: dict[str, list[str]] = {}
    for name, value in message.headers:
        headers.setdefault(name, []).append(value.lower())
    text = message.text
    if len(text) > OPENING + FOOTER:
        text = f"{text[:OPENING]}\n{text[-FOOTER:]}"
    own = (*rules.own_addresses, rules.business.sender.key) if rules.own_addresses else ()
    return _Mail(
        message=message,
        past=Past.of(history),
        headers=headers,
        subject=_plain(message.subject).lower(),
        ends=_plain(text),
        vouchers=_vouchers(headers, rules.trusted_authserv),
        own=frozenset(map(mailbox, own)),
    )


_ACCENTS = re.compile("[\u0300-\u036f]+")


def _plain(text: str) -> str:
    """Without accents, every run of white space one space. Upper case stays: it marks where sentences begin."""
    if not text.isascii():
        text = _ACCENTS.sub("", unicodedata.normalize("NFKD", text)).replace("\u2019", "'")
    return " ".join(text.split())


def _wordings(*phrases: str) -> tuple[str, ...]:
    """A row of phrases in the form of the texts in which they are looked for."""
    return tuple(_plain(phrase).lower() for phrase in phrases)


def _sentences(*beginnings: str) -> tuple[str, ...]:
    """A row of phrases that count only where a sentence begins: with its capital letter, or all in capitals."""
    return tuple(form for beginning in map(_plain, beginnings) for form in (beginning, beginning.upper()))


def _says(text: str, phrases: Iterable[str]) -> bool:
    return any(map(text.__contains__, phrases))


# Names and local parts under which mail servers write.
_DAEMON = re.compile(
    r"mail(?:er)?[-_. ]?daemon|mdaemon|post[-_. ]?master|\b(?:e-?)?mail[-_. ]?(?:deliver|admin|system)"
    r"|delivery[-_. ]subsystem|system[-_. ]?administrator|microsoft exchange|\bndr\b"
    r"|administrador del sistema|administrateur systeme|systemadministrator|amministratore di sistema"
)
_NOT_DELIVERED = _wordings(
    *("undeliver", "returned mail", "return mail", "returned to sender", "returning to sender", "returning message to"),
    *("failure notice", "delivery fail", "failed delivery", "delivery has failed", "failure delivery", "delivery error"),
    *("delivery status", "delivery notification", "delivery report", "non-delivery", "non delivery", "nondeliver"),
    *("not delivered", "not been delivered", "could not be delivered", "couldn't be delivered", "cannot be delivered"),
    *("can't be delivered", "unable to deliver", "delivery problem", "error during delivery", "error sending your mail"),
    *("mail failed", "failed mail", "mail failure", "mail system error", "mail error", "processing error"),
    *("could not send", "not yet been delivered", "message delayed", "delivery delay", "delayed mail", "rejected mail"),
    *("message rejected", "mail rejected", "bounce notification", "nameserver error", "unsent message", "bounced mail"),
    *("no se pudo entregar", "no se ha podido entregar", "no entregado", "no se entregó", "devuelto al remitente"),
    *("correo devuelto", "mensaje devuelto", "error de entrega", "fallo de entrega", "fallo en la entrega"),
    *("não entregue", "não foi entregue", "não pode ser entregue", "não foi possível entregar", "falha na entrega"),
    *("falha de entrega", "mensagem devolvida", "email devolvido", "devolvida ao remetente"),
    *("non remis", "non distribu", "échec de la remise", "échec de remise", "échec de la distribution", "non délivré"),
    *("échec d'envoi", "n'a pas pu être", "impossible de remettre", "retour à l'expéditeur"),
    *("mancato recapito", "mancata consegna", "non recapitabile", "non consegnat", "impossibile recapitare"),
    *("impossibile consegnare", "restituito al mittente", "recapito non riuscito"),
    *("nelivrat", "nu a putut fi livrat", "livrare eșuată"),
    *("unzustellbar", "nicht zugestellt", "nicht zustellbar", "nicht ausgeliefert", "zustellung fehlgeschlagen"),
    *("zurückgesandt", "zustellungsfehler", "fehlgeschlagene zustellung", "zurück an absender"),
    *("onbestelbaar", "niet bezorgd", "niet afgeleverd", "niet worden bezorgd", "niet worden afgeleverd"),
    *("olevererbart", "kunde inte levereras", "gick inte att leverera"),
    *("ikke leveres", "ikke leveret", "ikke levert", "kan ikke levere", "uleverbar"),
    *("ei voitu toimittaa", "toimitus epäonnistui"),
    *("niedostarcz", "nie dostarczono", "nie można dostarczyć", "zwrot wiadomości"),
    *("nedoruč", "nepodařilo doručit", "kézbesíthetetlen", "nem kézbesít", "kézbesítési hiba"),
    *("teslim edilemedi", "iletilemedi", "teslim edilemeyen"),
    *("не доставлен", "недоставлен", "не удалось доставить", "ошибка доставки", "не может быть доставлен"),
    *("не вдалося доставити", "помилка доставки", "μη παραδοτέ", "αποτυχία παράδοσης", "δεν παραδόθηκε"),
    *("配信不能", "配信でき", "配信エラー", "配信失敗", "配信されませ", "未配信", "送信でき", "送信エラー", "送信不能"),
    *("宛先不明", "エラーメール", "メールエラー", "不達", "届けでき"),
    *("退信", "无法投递", "投递失败", "无法送达", "无法传递", "未送达", "無法傳遞", "無法投遞", "退回", "退件", "傳送失敗"),
    *("배달 실패", "전송 실패", "전송실패", "발송 실패", "발송실패", "반송", "배달되지 않", "배달할 수 없", "전송되지 않"),
)
_NO_SUCH_MAILBOX = _wordings(
    *("user unknown", "unknown user", "no such user", "no such recipient", "no such mailbox", "no such address"),
    *("no such person", "no such account", "no such domain", "no such host", "no such name", "user not found"),
    *("does not exist", "doesn't exist", "not exist", "recipient not found", "mailbox not found", "domain not found"),
    *("domain name not found", "host not found", "unknown host", "host unknown", "nxdomain"),
    *("unknown recipient", "recipient unknown", "unknown address", "address unknown", "addressee unknown"),
    *("invalid address", "invalid recipient", "invalid mailbox", "invalid user", "unknown local", "unknown account"),
    *("unrouteable", "unroutable", "no mailbox here", "not listed in", "doesn't have a", "not a valid mailbox"),
    *("no longer valid", "not a known user", "no existe", "usuario desconocido", "destinatario desconocido"),
    *("não existe", "usuário desconhecido", "n'existe pas", "utilisateur inconnu", "destinataire inconnu"),
    *("non esiste", "utente sconosciuto", "existiert nicht", "empfänger unbekannt", "unbekannter empfänger"),
    *("宛先不明", "存在しません", "用户不存在"),
)
_NOT_DELIVERED_TEXT = _NOT_DELIVERED + _wordings(
    *("able to deliver", "failed to deliver", "delivery to the following", "not reach the following", "fatal error"),
    *("not be delivered", "following address", "following recipient", "permanent error", "permanent failure"),
    *("mailbox full", "mailbox is full", "over quota", "quota exceeded", "being retried", "will be retried"),
    *("was rejected", "has been rejected", "refused to accept", "could not be sent", "delivery attempt"),
)
# With one of these a server may have said no to us and not to the mailbox: the address may well exist.
_NOT_THE_MAILBOX = _wordings(
    *("quota", "mailbox full", "mailbox is full", "is full", "exceed", "storage", "spam", "blocked", "blocklist"),
    *("block list", "blacklist", "black list", "blackhole", "policy", "reputation", "dmarc", "spf", "dkim", "virus"),
    *("authenticat", "relaying", "relay access", "not relay", "greylist", "graylist", "temporar", "timed out"),
    *("too large", "too big", "too many", "reverse", "client host", "helo", "ehlo", "rdns"),
    *("sender address", "sender verify", "sender domain", "sender rejected", "return path", "return-path"),
    *("inactive", "suspended", "disabled"),
)
# RFC 3463 section 3.2. X.1.0 says nothing certain, X.1.7 and X.1.8 speak of the sender.
_DEAD_STATUS = re.compile(r"(?<![\d.])5\.1\.(?:1|2|3|6|10)(?![\d.]\d)")


def _is_bounce(mail: _Mail) -> bool:
    """A mail server says that a mail of ours did not arrive: by a report (RFC 3464), a header or its words.

    Reports that tell of a delivery alone are none. Without a block that failed, a server must have written it and must say
    so; where neither its name nor an empty envelope gives it away, the subject must say it and the text whom it concerns.
    """
    if mail.message.failures:
        return any(map(_failed, mail.message.failures))
    if mail.first("x-failed-recipients"):
        return True
    subject = _says(mail.subject, _NOT_DELIVERED)
    if _DAEMON.search(_plain(mail.first("from"))):
        return subject or _says(mail.subject, _NO_SUCH_MAILBOX) or _says(_report(mail), _NOT_DELIVERED_TEXT)
    if _has_null_sender(mail) or mail.message.report_type == "delivery-status":
        return subject
    # Parcels, too, are not delivered: without a server's name, only "to" and an address at once tell of a mail.
    return subject and not mail.message.thread and bool(_NOT_DELIVERED_TO.search(mail.ends.lower()))


def _failed(failure: Failure) -> bool:
    """Whether a block of a report says that its mail has not arrived (RFC 3464 section 2.3.3).

    A block without the obligatory Action counts only if its status is permanent: challenges are sent that way as 4.x.x.
    """
    action = failure.action.lower()
    return action.startswith(("fail", "delay")) or (not action and failure.status.startswith("5"))


def _report(mail: _Mail) -> str:
    """The words of a bounce as one line; what cutting took away belongs to them."""
    return _plain(_lines(mail)).lower()


def _lines(mail: _Mail) -> str:
    return f"{mail.message.text}\n{mail.message.quoted}"[:REPORT]


def _casualties(mail: _Mail) -> dict[str, bool]:
    """The recipients that a bounce names, in lower case, and whether it says that the mailbox does not exist.

    From the surest place that names one: the blocks of a report, X-Failed-Recipients, the text, our own memory.
    """
    message = mail.message
    found: dict[str, bool] = {}
    for failure in filter(_failed, message.failures):
        recipient = failure.recipient.strip("<> ").lower()
        is_whole = "@" in recipient and " " not in recipient
        for one in (recipient,) if is_whole else _addresses(recipient):
            found[one] = found.get(one, False) or _is_dead(failure.status, _plain(failure.diagnostic).lower())
    if found:
        return found
    others = (mailbox(address.key) for address in (*message.recipients, *message.senders))
    told = _told(f"{mail.subject}\n{_lines(mail).lower()}", mail.own.union(others))
    named = _addresses(" ".join(mail.all("x-failed-recipients"))) or tuple(told)
    if not named and mail.past.counterpart:
        return {mail.past.counterpart: _is_dead("", _report(mail))}
    return {one: _is_dead("", told.get(one, "")) for one in named}


def _is_dead(status: str, words: str) -> bool:
    """Whether a status and the words beside it say that the mailbox or its domain does not exist.

    Most 5.x.x do not: full and filtered mailboxes are alive, and so are those whose server refuses ours.
    """
    if status.startswith("4") or _says(words, _NOT_THE_MAILBOX):
        return False
    return bool(_DEAD_STATUS.search(f"{status} {words}")) or _says(words, _NO_SUCH_MAILBOX)


# A run of these characters is tried from its beginning only, and for 64 of them: linear in the text. Exchange writes
# `SMTP=` before an address.
_ADDRESS = re.compile(r"(?<![\w.+&~-])\w[\w.+&'~/=-]{0,63}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}", re.ASCII)
_NOT_DELIVERED_TO = re.compile(
    rf"(?:delivered? to|failed recipients?)(?: the following)?(?: recipients?| address(?:es)?)?\W{{1,20}}{_ADDRESS.pattern}"
)
_NAMED = re.compile(r"^[>\t ]{0,4}(?:final|original|failed)[- ]recipients?\s?:(?:[\w -]{1,20};)?(.{3,300})$", re.M)
# Where the mail that is sent back begins: its first headers, or a line that announces it.
_RETURNED = re.compile(
    r"^[>|\t ]{0,4}(?:received: |return-path: |message-id: |mime-version: |dkim-signature: |x-[a-z-]{2,40}: "
    r"|-{2,40}[^\n]{0,40}(?:original message|returned message|unsent|below this|copy of|headers))",
    re.M,
)
_RETURNED_TO = re.compile(r"^[>|\t ]{0,4}to: ?(.{3,300})$", re.M)
_SOMEBODY_ELSE = re.compile(
    r"[>\t ]{0,4}(?:from|sender|reply-to|return-path|message-id|subject|reporting-mta|mail from|x-[a-z-]{2,40})\s?:"
)


def _addresses(text: str, strangers: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """The mailboxes that a lower-case text names, each once, without those of servers and `strangers`."""
    found = (match.group().removeprefix("smtp=") for match in _ADDRESS.finditer(text))
    people = (one for one in found if not _DAEMON.search(one) and mailbox(one) not in strangers)
    return tuple(dict.fromkeys(people))[:MOST_RECIPIENTS]


def _told(text: str, strangers: frozenset[str]) -> dict[str, str]:
    """The recipients that the text of a bounce names, each with what is said of it."""
    cut = _RETURNED.search(text)
    story = text[: cut.start()] if cut else text
    lines = [line for line in story.splitlines() if not _SOMEBODY_ELSE.match(line)]
    named = _addresses("\n".join(_NAMED.findall(text)), strangers) or _addresses("\n".join(lines), strangers)
    if not named and (sent_to := _RETURNED_TO.search(text)):
        named = _addresses(sent_to.group(1), strangers)
    if len(named) < 2:
        return dict.fromkeys(named, _plain(" ".join(lines)))
    return {one: _plain(" ".join(_passage(lines, one, named))) for one in named}


def _passage(lines: list[str], one: str, named: tuple[str, ...]) -> list[str]:
    """The lines from the one that names this recipient to the one that names the next."""
    start = next((number for number, line in enumerate(lines) if one in line), len(lines))
    others = [other for other in named if other != one]
    end = next((number for number in range(start + 1, len(lines)) if _says(lines[number], others)), len(lines))
    return lines[start:end]


def _came_back(mail: _Mail) -> bool:
    """Our own mark is on it, or it went through so many servers that it must be going round."""
    return OUR_HEADER in mail.headers or len(mail.all("received")) > MOST_HOPS


def _is_deep(mail: _Mail) -> bool:
    """So many mails back and forth that two machines may be talking. Parsing shortens the thread, so the header is asked."""
    return mail.first("references").count("<") > DEEPEST_THREAD


def _is_own(mail: _Mail) -> bool:
    """We wrote it: a copy of our own, or a forger who says so."""
    return any(mailbox(sender.key) in mail.own for sender in mail.message.senders)


def _has_no_sender(mail: _Mail) -> bool:
    """From does not hold exactly one valid mailbox: nobody is known to answer."""
    return mail.message.sender is None


def _is_calendar(mail: _Mail) -> bool:
    """An invitation, an answer to one or its cancellation (RFC 5546): the calendar answers those, no mail does."""
    calendar = mail.message.calendar
    return bool(calendar and calendar.method) or mail.first("content-class").endswith("calendarmessage")


_COMPLAINT = re.compile(r"complaint about message from |e-?mail (?:feedback|abuse) report ")


def _is_feedback(mail: _Mail) -> bool:
    """A complaint or another report on mail that was sent, in the common form (RFC 5965) or under its usual subject."""
    if mail.message.report_type == "feedback-report" or mail.message.content_type == "message/feedback-report":
        return True
    return bool(_COMPLAINT.match(mail.subject))


_RECEIPT = re.compile(r"(?:read|not read|read receipt|return receipt|leido|gelesen|lu|lida|letto)\s?:")


def _is_receipt(mail: _Mail) -> bool:
    """A report of delivery or reading (RFC 3464, RFC 8098, in the frame of RFC 6522), or Outlook's own that has no words."""
    if mail.message.content_type == "multipart/report" or mail.message.failures:
        return True
    return bool(_RECEIPT.match(mail.subject)) and ("ms-tnef" in mail.message.content_type or not mail.ends)


def _has_null_sender(mail: _Mail) -> bool:
    """The envelope says that nobody waits for an answer (RFC 5321 section 4.5.5)."""
    path = mail.all("return-path")
    return bool(path) and path[0].strip("<> ").partition("@")[0] in ("", "mailer-daemon")


_CHALLENGES = _wordings(
    *("boxbe", "spamarrest", "spam arrest", "spamblocker", "mailblocks", "not pre-approved", "one-time verification"),
    *("verify that you are a", "confirm that you are a", "prove that you are a", "your message is being held"),
    *("your message has been held", "your email is being held", "is awaiting your confirmation"),
    *("to have your message delivered", "to ensure delivery of your message", "my list of approved senders"),
    *("para que su mensaje sea entregado", "confirme que es una persona"),
)


def _is_challenge(mail: _Mail) -> bool:
    """A filter asks us to prove that we are people: an answer would be a loop of another kind."""
    return _says(mail.subject, _CHALLENGES) or _says(mail.ends.lower(), _CHALLENGES)


def _is_said(value: str) -> bool:
    return value.strip() not in ("", "no", "none", "false", "0")


def _is_auto_submitted(value: str) -> bool:
    """RFC 3834 section 5: every keyword but `no` stands for a machine; a comment or parameters may follow it."""
    return re.split(r"[\s;(]", value.strip(), maxsplit=1)[0] not in ("", "no")


def _suppresses_answers(value: str) -> bool:
    """X-Auto-Response-Suppress is a set of words (MS-OXCMAIL); `none` and the words for receipts ask nothing of us."""
    return not {"all", "autoreply", "oof", "dr"}.isdisjoint(re.split(r"[,;\s]+", value))


_AUTOMATIC_HEADERS: Mapping[str, Callable[[str], bool]] = {
    "auto-submitted": _is_auto_submitted,
    "x-auto-response-suppress": _suppresses_answers,
    "precedence": frozenset({"auto_reply", "auto-reply"}).__contains__,
    "x-autoreply": _is_said,
    "x-autorespond": _is_said,
    "x-autoresponder": _is_said,
    "x-autoreply-from": _is_said,
    "x-mail-autoreply": _is_said,
    "x-autogenerated": _is_said,
    "x-apple-action": "vacation".__eq__,
    "x-fc-machinegenerated": _is_said,  # FirstClass
    "x-loop": _is_said,  # procmail's mark on what it sends
    "x-ms-exchange-inbox-rules-loop": _is_said,
}
# What mail programs set before the subject that they answer. People who answer such an answer write "Re:" before it.
_AUTOMATIC_SUBJECTS = _wordings(
    *("automatic reply", "automatic response", "automated reply", "automated response", "auto reply", "auto-reply"),
    *("autoreply", "auto response", "auto-response", "autoresponse", "auto-generated", "auto generated", "autoresponder"),
    *("out of office", "out of the office", "out-of-office", "out of office reply", "out of office autoreply"),
    *("out of office auto-reply", "away from mail", "away from my mail"),
    *("respuesta automática", "respuesta automatizada", "autorrespuesta", "fuera de la oficina", "fuera de oficina"),
    *("automatische antwort", "automatische rückmeldung", "abwesenheitsnotiz", "abwesenheitsnachricht", "autoantwort"),
    *("réponse automatique", "absence du bureau", "absent du bureau", "message d'absence"),
    *("resposta automática", "fora do escritório", "ausência do escritório"),
    *("risposta automatica", "fuori sede", "fuori ufficio", "assente dall'ufficio"),
    *("automatisch antwoord", "automatische reactie", "autosvar", "automatiskt svar", "automatisk svar"),
    *("automaattinen vastaus", "automatyczna odpowiedź", "automatická odpověď", "automatikus válasz", "otomatik yanıt"),
    *("автоматический ответ", "автоответ", "автоматична відповідь", "自動応答", "自動返信", "自动回复", "自動回覆"),
    *("자동 회신", "자동 응답", "부재중"),
)
_AUTOMATIC_SUBJECT = re.compile(
    rf"[\W_]{{0,3}}(?:{'|'.join(map(re.escape, _AUTOMATIC_SUBJECTS))})\s?(?:[:\])*]|[-–—]\s|from\s|$)"
    r"|auto: .{0,80}(?:out of (?:the )?office|\(returning )"
    r"|(?!\w{1,4}\s?:).{1,80} is out of the office\.?(?: \(returning .{1,40})?$"
)
# Each begins a sentence: a customer who writes "I know that this is an automated message, but" is not silenced by it.
_AUTOMATIC_SENTENCES = _sentences(
    *("This is an automat", "This is an auto-reply", "This is an auto-generated", "This is an auto reply"),
    *("This message was automatically generated", "This email was automatically generated"),
    *("This e-mail was automatically generated", "This message was sent automatically", "This email was sent automatically"),
    *("Esta es una respuesta automática", "Este es un mensaje automático", "Este es un correo automático"),
    *("Este mensaje ha sido generado automáticamente", "Dies ist eine automatisch", "Diese E-Mail wurde automatisch"),
    *("Diese Nachricht wurde automatisch", "Ceci est une réponse automatique", "Ceci est un message automatique"),
    *("Esta é uma resposta automática", "Esta é uma mensagem automática"),
    *("Questa è una risposta automatica", "Questo è un messaggio automatico"),
)


def _is_automatic(mail: _Mail) -> bool:
    """A machine sent it: it says so in a header (RFC 3834), in its subject or in a sentence of its own."""
    if any(_AUTOMATIC_HEADERS[name](value) for name in mail.headers.keys() & _AUTOMATIC_HEADERS for value in mail.all(name)):
        return True
    return bool(_AUTOMATIC_SUBJECT.match(mail.subject)) or _says(mail.ends, _AUTOMATIC_SENTENCES)


# RFC 2369, RFC 2919, RFC 8058, and what list servers and mailing houses add.
_LIST_HEADERS = (
    *("list-", "x-list", "x-mailman-", "x-beenthere", "mailing-list", "x-mailing", "x-ml-", "x-mlserver", "x-egroups-"),
    *("errors-to", "x-campaign", "x-bulkmail", "x-massmail", "x-newsletter", "x-feed2imap", "x-rss-"),
)
_BULK = frozenset({"bulk", "list", "junk"})
_LIST_SENDER = re.compile(
    r"(?:^|<)owner-|-request@|(?:^|[<._+@-])(?:listserv|majordomo|mailman|newsletters?|mailinglist)[._+@-]"
)
# People write from store-owner@ and bounce-house@ too, so these count only in an envelope that is not the sender's own.
_LIST_ENVELOPE = re.compile(
    r"-(?:owner|bounces?|admin|errors)(?:\+[^@\s]{0,99})?@|(?:^|[<._+-])bounces?(?:[._+=-][^@\s]{0,99})?@|[.@]bounce[ds]?\."
)


def _is_list(mail: _Mail) -> bool:
    """A list or a mailing house distributed it: it says so in its headers or in an address of its envelope."""
    if any(name.startswith(_LIST_HEADERS) for name in mail.headers) or not _BULK.isdisjoint(mail.all("precedence")):
        return True
    own = mail.message.sender.key if mail.message.sender else "<>"
    envelope = [value for name in ("return-path", "sender") for value in mail.all(name) if own not in value]
    if any(map(_LIST_SENDER.search, (*envelope, mail.first("from")))):
        return True
    # Exchange Online forwards people's mail under bounces+SRS=...@, Gmail under ...+caf_=us=our.domain@.
    rewritten = [value for value in envelope if "srs" not in value and "+caf_=" not in value]
    names_us = tuple(f"={recipient.domain}@" for recipient in mail.message.recipients)
    return any(_LIST_ENVELOPE.search(value) or _says(value, names_us) for value in rewritten)


# A mailing speaks to its reader. A customer who wants out says "I", and that must never look like a footer.
_FOOTERS = _wordings(
    *("click here to unsubscribe", "unsubscribe, click", "unsubscribe click", "unsubscribe, visit", "unsubscribe, go to"),
    *("unsubscribe, send", "unsubscribe, reply", "unsubscribe or modify", "unsubscribe or change", "unsubscribe@"),
    *("unsubscribe from this list", "unsubscribe from this newsletter", "subscribe or unsubscribe", "subscribe/unsubscribe"),
    *("to our mailing list", "on our mailing list", "from our mailing list"),
    *("/unsubscribe", "to remove yourself from", "if you wish to have your email", "if you wish to unsubscribe"),
    *("if you wish to be removed", "if you would like to unsubscribe", "if you no longer wish to receive"),
    *("if you no longer want to receive", "if you do not wish to receive", "if you don't wish to receive"),
    *("if you do not want to receive", "if you don't want to receive", "if you do not wish to continue receiving"),
    *("if you prefer not to receive", "you received this email because", "you received this message because"),
    *("you are receiving this email", "you are receiving this message", "you are receiving this newsletter"),
    *("you're receiving this email", "you are subscribed to", "you're subscribed to", "your email preferences"),
    *("your mailing list options", "update your preferences", "view this email in", "view it in your browser"),
    *("trouble viewing this", "trouble reading this", "message is not displaying", "email is not displaying"),
    *("if you can't read this", "if you cannot read this", "if you cannot see this", "forward to a friend"),
    *("in this issue:", "all rights reserved", "copyright 20", "copyright (c)", "copyright ©", "(c) 20", "© 20"),
    *("remove in the subject", "advertise with us"),
    *("si no desea recibir", "si no deseas recibir", "si ya no desea recibir", "si ya no deseas recibir"),
    *("si desea darse de baja", "si deseas darte de baja", "para darse de baja haga", "para darse de baja de esta lista"),
    *("clic aquí para darse de baja", "clic aquí para darte de baja", "para dejar de recibir estos"),
    *("ha recibido este correo porque", "recibes este correo porque", "ver este correo en su navegador"),
    *("si vous ne souhaitez plus recevoir", "pour vous désinscrire", "pour vous désabonner", "pour ne plus recevoir nos"),
    *("wenn sie keine weiteren e-mails", "wenn sie diesen newsletter", "wenn sie den newsletter", "um sich abzumelden"),
    *("se não deseja mais receber", "se não desejar receber", "se non desideri più ricevere", "per cancellarti"),
)
_FOOTER_SENTENCES = _sentences(
    *("To unsubscribe", "To be removed", "To stop receiving", "To opt out", "To opt-out", "To change your email"),
    *("To change your subscription", "This email was sent to", "This newsletter is", "This newsletter was"),
)
_MAILING_ACCOUNTS = frozenset(
    {
        *("announce", "announcements", "boletin", "digest", "enews", "enewsletter", "feeds", "infolettre", "news"),
        *("offers", "promo", "promotions", "replies", "reply", "rss", "rssfeeds", "rundbrief", "survey", "surveys"),
        *("updates", "welcome"),
    }
)
_MAILING_NAMES = _wordings("newsletter", "e-news", "enews", "mailing list", "digest", "bulletin", "boletín", "infolettre")


def _is_mailing(mail: _Mail) -> bool:
    """It seems to have gone to many: its sender, its footer, more links or more words than notes have say so."""
    text = mail.message.text
    if len(text) > LONGEST_NOTE or text.count("://") > MOST_LINKS or _account(mail) in _MAILING_ACCOUNTS:
        return True
    name = mail.message.sender.name if mail.message.sender else ""
    if _says(_plain(name).lower(), _MAILING_NAMES):
        return True
    return _says(mail.ends.lower(), _FOOTERS) or _says(mail.ends, _FOOTER_SENTENCES)


_NO_REPLY = _wordings(
    *("noreply", "donotreply", "dontreply", "donotrespond", "notreply", "neverreply", "replynot", "unattended"),
    *("nepasrepondre", "sansreponse", "noresponder", "noresponda", "norespondas", "noresponde", "sinrespuesta"),
    *("nichtantworten", "keineantwort", "nonrispondere", "nonrisponda", "naoresponda", "naoresponder"),
    *("nietantwoorden", "geenantwoord", "ikkesvar", "svarainte", "eivastata", "nieodpowiadaj", "neodpovidat"),
)
_NO_REPLY_SENTENCES = _wordings(
    *("do not reply to this", "do not respond to this", "don't reply to this", "no responda a este", "no respondas a este"),
    *("antworten sie nicht auf diese", "ne pas répondre à ce", "não responda a est", "non rispondere a quest"),
)


def _wants_no_reply(mail: _Mail) -> bool:
    """The sender asks for no answer, by address or name, in Reply-To or in so many words."""
    sender = mail.message.sender
    places = (sender, *mail.message.reply_to) if sender else ()
    asked = [text for place in places for text in (place.address.rpartition("@")[0], place.name)]
    if any(_says(re.sub(r"[^a-z]", "", _plain(text).lower()), _NO_REPLY) for text in asked):
        return True
    return _says(mail.ends.lower(), _NO_REPLY_SENTENCES)


# RFC 2142 section 5 and the accounts of programs. People write from info@, office@ and sales@.
_ROLES = frozenset(
    {
        *("abuse", "alert", "alerts", "apache", "autoresponder", "bot", "bounce", "bounces", "cron", "daemon", "ftp"),
        *("hostmaster", "listmaster", "listserv", "mailer", "mailerdaemon", "mailinglist", "mailman", "majordomo"),
        *("newsletter", "newsletters", "nobody", "notification", "notifications", "notificaciones", "notifier", "notify"),
        *("postmaster", "robot", "root", "system", "usenet", "uucp", "webmaster", "www", "wwwdata"),
    }
)
_ROLE_DOMAINS = frozenset({"alerts", "bounce", "bounces", "lists", "mailer", "newsletter", "newsletters", "notifications"})


def _account(mail: _Mail) -> str:
    """The letters of the sender's local part, or nothing."""
    sender = mail.message.sender
    return re.sub(r"[^a-z]", "", mailbox(sender.key).rpartition("@")[0]) if sender else ""


def _is_role(mail: _Mail) -> bool:
    """The sender is an account of a program or of a postmaster, not of a person."""
    sender = mail.message.sender
    labels = sender.domain.split(".")[:-2] if sender else []
    return _account(mail) in _ROLES or not _ROLE_DOMAINS.isdisjoint(labels)


_ALSO_TO = ("resent-to", "resent-cc", "bcc")


def _is_to_nobody(mail: _Mail) -> bool:
    """No recipient stands in it or they are undisclosed: it went to many (RFC 3834 section 2)."""
    named = mail.message.recipients or any(map(mail.all, _ALSO_TO))
    return not named or "undisclosed" in mail.first("to")


def _is_not_to_us(mail: _Mail) -> bool:
    """None of our addresses is among its recipients (RFC 5230 section 4.5). Not asked if ours are not known."""
    written = (recipient.key for recipient in mail.message.recipients)
    resent = (one for name in _ALSO_TO for value in mail.all(name) for one in _addresses(value))
    return bool(mail.own) and mail.own.isdisjoint(map(mailbox, (*written, *resent)))


# A bracket of a comment, the end of a clause, or a word with the quoted strings in it (RFC 8601 section 2.2).
_WORD = re.compile(r'[();]|(?:[^\s"();]|"(?:[^"\\]|\\.)*")+')
_RESULT = re.compile(r"([a-z0-9-]+)(?:/\d+)? ?= ?([a-z]+)")
_SPEAKS_OF = {
    "dmarc": re.compile(r" header\.from ?= ?(\S+)"),
    "spf": re.compile(r" smtp\.(?:mailfrom|mfrom) ?= ?(\S+)"),
    "dkim": re.compile(r" header\.(?:d|i) ?= ?(\S+)"),
}


def _vouchers(headers: Mapping[str, list[str]], trusted: frozenset[str]) -> tuple[_Voucher, ...]:
    """What the topmost Authentication-Results says if a trusted server wrote it (RFC 8601 section 5), else nothing.

    All below it may have come with the mail, and so may one that does not begin with the name of a server, as
    Microsoft's does not.
    """
    found = headers.get("authentication-results")
    if not found or not trusted or len(found[0]) > LONGEST_RESULTS:
        return ()
    first, *clauses = _clauses(found[0])
    server = first.partition(" ")[0].strip('"')
    if "=" in server or server not in {name.lower() for name in trusted}:
        return ()
    return tuple(filter(None, map(_voucher, clauses)))


def _clauses(value: str) -> Iterator[str]:
    """What stands between the semicolons, without comments. A quoted string holds no words: it is never read as syntax."""
    depth, clause = 0, list[str]()
    for word in _WORD.findall(value):
        if word == "(":
            depth += 1
        elif word == ")":
            depth = max(0, depth - 1)
        elif depth == 0 and word == ";":
            yield " ".join(clause)
            clause = []
        elif depth == 0:
            clause.append("_".join(word.split()) if '"' in word else word)
    yield " ".join(clause)


def _voucher(clause: str) -> _Voucher | None:
    match = _RESULT.match(clause)
    if match is None or match.group(1) not in _SPEAKS_OF:
        return None
    method, result = match.groups()
    named = _SPEAKS_OF[method].search(clause)
    if named is None:
        return _Voucher(method=method, result=result, domain="") if method == "dmarc" else None
    return _Voucher(method=method, result=result, domain=named.group(1).strip('"<>').rpartition("@")[2])


def _is_spoofed(mail: _Mail) -> bool:
    """A trusted server found that the domain in From did not send it (DMARC, RFC 7489)."""
    return any(voucher.method == "dmarc" and voucher.result == "fail" for voucher in mail.vouchers)


def _is_authenticated(mail: _Mail) -> bool:
    """A trusted server vouches for the domain in From: by DMARC, or by SPF or DKIM of a domain of the same house."""
    sender = mail.message.sender
    if sender is None or _is_spoofed(mail):
        return False
    passed = [voucher for voucher in mail.vouchers if voucher.result == "pass"]
    return any(_related(voucher.domain or sender.domain, sender.domain) for voucher in passed)


def _related(one: str, other: str) -> bool:
    """Whether two domains are of one organisation: the same, or one below the other (RFC 7489 section 3.1, without a list)."""
    short, long = sorted((one, other), key=len)
    return one == other or ("." in short and long.endswith(f".{short}"))


def _is_spam(mail: _Mail) -> bool:
    """A filter on its way marked it as spam; whoever forges the mark silences himself."""
    return mail.first("x-spam-flag").strip() == "yes" or mail.first("x-spam-status").strip().startswith("yes")


def _is_suppressed(mail: _Mail) -> bool:
    """This address is never written to again."""
    return mail.past.suppressed is not None


def _has_defect(kind: str) -> Callable[[_Mail], bool]:
    """A check for something that parsing noted."""
    return lambda mail: any(kind in defect for defect in mail.message.defects)


CHECKS: tuple[tuple[str, Callable[[_Mail], bool]], ...] = (
    ("bounce", _is_bounce),  # before all else: servers mark bounces as automatic, too
    ("loop", _came_back),  # before "own": what the program sent is no letter of a colleague's
    ("own", _is_own),  # a colleague's letter, or a forgery in our name
    ("no_sender", _has_no_sender),  # nobody to answer
    ("calendar", _is_calendar),  # RFC 5546
    ("feedback", _is_feedback),  # RFC 5965
    ("challenge", _is_challenge),  # before all that it is as well: somebody waits behind it
    ("receipt", _is_receipt),  # RFC 3464 of a mail that arrived, RFC 8098
    ("automatic", _is_automatic),  # RFC 3834
    ("list", _is_list),  # RFC 2369
    ("null_sender", _has_null_sender),  # RFC 5321: there is no way back
    ("no_reply", _wants_no_reply),  # nobody would read it
    ("role", _is_role),  # RFC 5230 section 4.6
    ("no_recipient", _is_to_nobody),  # RFC 3834: answer only what was written to us
    ("not_to_us", _is_not_to_us),
    ("spoofed", _is_spoofed),  # the answer would go to somebody who wrote nothing
    ("spam", _is_spam),
    ("deep_thread", _is_deep),  # two machines, or a conversation that has a person already
    ("mailing", _is_mailing),  # a guess from the words alone, so the last that asks who wrote
    ("suppressed", _is_suppressed),
    ("too_big", _has_defect("too big")),  # nobody has read what it says
)


def _answers_elsewhere(mail: _Mail) -> bool:
    sender = mail.message.sender
    return sender is not None and not all(_related(other.domain, sender.domain) for other in mail.message.reply_to)


def _is_oddly_written(mail: _Mail) -> bool:
    """Letters beyond ASCII in an address (RFC 6532): rare, of a guessed charset perhaps, and some look like others."""
    sender = mail.message.sender
    return sender is not None and not sender.address.isascii()


def _is_to_itself(mail: _Mail) -> bool:
    sender = mail.message.sender
    return sender is not None and {other.key for other in mail.message.recipients} == {sender.key}


DOUBTS: tuple[tuple[str, Callable[[_Mail], bool]], ...] = (
    ("no trusted server vouches for the sender", lambda mail: not _is_authenticated(mail)),
    ("Reply-To is in another domain than the sender", _answers_elsewhere),
    ("the sender's name looks like another address", _has_defect("looks like another address")),
    ("the sender's address has letters that may be taken for others", _is_oddly_written),
    ("two parsers read this mail differently", _has_defect("disagree")),
    ("its style may hide some of its words from a reader", _has_defect("may hide words")),
    ("it is addressed to its own sender", _is_to_itself),
    ("it came before winback was started", lambda mail: mail.message.old),
    ("this conversation had an automatic answer already", lambda mail: mail.past.answered_thread),
)
