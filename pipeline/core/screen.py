"""Decide whether a mail may be answered: is it a bounce, may we write back, is there doubt. Sends nothing.

Whether the mail is a cancellation is not asked here. A wrong "no" costs a rep one look, a wrong "yes" can start a mail
loop: so one sign of a machine is enough, and wording can only ever make us more silent.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from pipeline.core.records import Failure, History, Message, Rules, Screening

OUR_HEADER = "x-winback-id"
DEEPEST_THREAD = 20
MOST_HOPS = 50
OPENING = 600  # characters at the beginning of a text in which an answering machine introduces itself
FOOTER = 2_000  # characters at its end in which a mailing says how to leave it
REPORT = 20_000  # characters of a bounce that are read: what it has to say stands above the mail it returns


def flat(text: str) -> str:
    """The text without accents, every run of white space one space; upper case stays, it marks where sentences begin."""
    if not text.isascii():
        text = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return " ".join(text.replace("\u2019", "'").split())


def wordings(*phrases: str) -> tuple[str, ...]:
    """A row of phrases in the form of the texts in which they are looked for."""
    return tuple(flat(phrase).lower() for phrase in phrases)


def says(text: str, phrases: Iterable[str]) -> bool:
    """Whether the text holds one of the phrases."""
    return any(phrase in text for phrase in phrases)


# Local parts and names under which mail servers write; looked for in the From header.
DAEMON = re.compile(
    r"mail(?:er)?[-_. ]?daemon|mdaemon|post[-_. ]?master|(?:e-?)?mail[-_. ]?(?:deliver|admin|system|server|service)"
    r"|delivery[-_. ](?:sub)?system|system[-_. ]?administrator|microsoft exchange|\bndr\b"
    r"|administrador del sistema|administrateur systeme|systemadministrator|amministratore di sistema"
)
NOT_DELIVERED = wordings(
    *("undeliver", "returned mail", "return mail", "returned to sender", "returning to sender", "returning message to"),
    *("failure notice", "delivery fail", "failed delivery", "delivery has failed", "failure delivery", "delivery error"),
    *("delivery status notification", "delivery notification", "delivery report", "non-delivery", "non delivery"),
    *("nondeliver", "not delivered", "could not be delivered", "couldn't be delivered", "cannot be delivered"),
    *("can't be delivered", "unable to deliver", "delivery problem", "error during delivery", "error sending your mail"),
    *("mail failed", "failed mail", "mail failure", "mail system error", "mail error", "processing error"),
    *("could not send", "not yet been delivered", "message delayed", "delivery delay", "delayed mail", "rejected mail"),
    *("message rejected", "mail rejected", "bounce notification", "user unknown", "unknown user", "unknown address"),
    *("invalid address", "nameserver error", "not listed in", "permanent error", "unsent message", "bounced mail"),
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
    *("宛先不明", "エラーメール", "不達", "届けでき"),
    *("退信", "无法投递", "投递失败", "无法送达", "无法传递", "未送达", "無法傳遞", "無法投遞", "退回", "退件", "傳送失敗"),
    *("배달 실패", "전송 실패", "전송실패", "발송 실패", "발송실패", "반송", "배달되지 않", "배달할 수 없", "전송되지 않"),
)
NOT_DELIVERED_TEXT = NOT_DELIVERED + wordings(
    *("wasn't able to deliver", "not able to deliver", "failed to deliver", "was not delivered", "has not been delivered"),
    *("delivery to the following", "did not reach the following", "not be delivered to", "had permanent", "fatal error"),
    *("following address", "following recipient", "no such user", "mailbox full", "mailbox is full", "over quota"),
    *("quota exceeded", "exceeded its quota", "does not exist", "still being retried", "will be retried"),
    *("was rejected by", "has been rejected", "refused to accept", "could not be sent", "delivery attempt"),
)
NO_SUCH_MAILBOX = wordings(
    *("user unknown", "unknown user", "no such user", "no such recipient", "no such mailbox", "no such address"),
    *("no such person", "no such account", "no such domain", "does not exist", "doesn't exist", "user not found"),
    *("recipient not found", "mailbox not found", "domain not found", "host not found", "unknown host", "host unknown"),
    *("unknown recipient", "recipient unknown", "unknown address", "address unknown", "addressee unknown"),
    *("invalid recipient", "invalid mailbox", "unknown local", "unrouteable address", "unroutable address"),
    *("no mailbox here", "not listed in", "doesn't have a", "not a valid mailbox", "no longer valid", "unknown account"),
    *("invalid user", "not a known user", "no such name", "name or domain", "mailbox not exist", "nxdomain"),
    *("no existe", "usuario desconocido", "destinatario desconocido", "não existe", "usuário desconhecido"),
    *("n'existe pas", "utilisateur inconnu", "destinataire inconnu", "non esiste", "utente sconosciuto"),
    *("existiert nicht", "empfänger unbekannt", "unbekannter empfänger", "宛先不明", "存在しません", "用户不存在"),
)
# A server that says one of these may have said no to us, not to the mailbox: the address may well exist.
NOT_THE_MAILBOX = wordings(
    *("quota", "full", "exceed", "storage", "spam", "block", "black", "policy", "reputation", "dmarc", " spf", "dkim"),
    *("authenticat", "relay", "greylist", "graylist", "try again", "temporar", "too large", "too big", "virus"),
    *("sender address", "sender verify", "sender domain", "return path", "return-path", "reverse", "client host"),
    *("helo", "ehlo", " ptr", "rdns", "sender rejected", "mail from", "inactive", "suspended", "disabled"),
)
# RFC 3463 section 3.2; X.1.0 says nothing certain, X.1.7 and X.1.8 are about the sender.
DEAD_STATUS = re.compile(r"5\.1\.(?:1|2|3|6|10)$")


def failed(failure: Failure) -> bool:
    """Whether the block of a report says that its mail has not arrived (RFC 3464 section 2.3.3).

    A block without the obligatory Action counts if its status is permanent: challenges are sent that way, too, as 4.x.x.
    """
    action = failure.action.lower()
    return action.startswith(("fail", "delay")) or (not action and failure.status.startswith("5"))


def is_dead(status: str, words: str) -> bool:
    """Whether a status and the words beside it say that the mailbox or its domain does not exist.

    Full, filtered and refused mailboxes, and refusals of our own server, are alive: most 5.x.x mean one of these.
    """
    if status.startswith("4") or says(words, NOT_THE_MAILBOX):
        return False
    return bool(DEAD_STATUS.match(status)) or says(words, NO_SUCH_MAILBOX)


# Unambiguous in one pass: a run of local-part characters is tried once, from its beginning.
ADDRESS = re.compile(
    r"(?<![\w.!#$%&'*+/=?^`{|}~@-])[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}"
)
NAMED_RECIPIENT = re.compile(r"^[>\s]{0,4}(?:final|original|failed)[- ]recipients?\s?:(?:[\w -]{1,20};)?(.{3,300})$", re.M)
RETURNED = re.compile(
    r"^[>|\s]{0,4}(?:received: |return-path: |message-id: |mime-version: |dkim-signature: |x-[a-z-]{2,40}: "
    r"|-{2,}[^\n]{0,40}(?:original|returned|unsent|below|copy|header|follows))",
    re.M,
)
RETURNED_TO = re.compile(r"^[>|\s]{0,4}to: ?(.{3,300})$", re.M)
# Lines of a report that name everyone but the recipient.
NOT_A_RECIPIENT = re.compile(
    r"^[>\s]{0,4}(?:from|sender|reply-to|return-path|message-id|subject|reporting-mta|mail from|x-[a-z-]{2,40})\s?:"
)


def addresses(text: str, strangers: frozenset[str]) -> tuple[str, ...]:
    """The mailboxes that a lower-case text names, each once, without those of servers and `strangers`."""
    found = (match.group().rstrip(".") for match in ADDRESS.finditer(text))
    return tuple(dict.fromkeys(one for one in found if one not in strangers and not DAEMON.search(one)))


def named(text: str, strangers: frozenset[str]) -> Iterator[tuple[str, str]]:
    """The recipients that the text of a bounce names, with the words said of each; by lines, surest place first."""
    cut = RETURNED.search(text)
    story = text[: cut.start()] if cut else text
    sure = addresses("\n".join(NAMED_RECIPIENT.findall(text)), strangers)
    lines = [line for line in story.splitlines() if not NOT_A_RECIPIENT.match(line)]
    told = sure or addresses("\n".join(lines), strangers)
    back = RETURNED_TO.search(text)
    for one in told or (addresses(back.group(1), strangers) if back else ()):
        yield one, told_of(one, told, lines)


def told_of(one: str, told: tuple[str, ...], lines: list[str]) -> str:
    """What the lines of a bounce say of one recipient: all of it if it is the only one, else from its line to the next's."""
    if len(told) < 2:
        return flat(" ".join(lines))
    start = next((number for number, line in enumerate(lines) if one in line), len(lines))
    others = [other for other in told if other != one]
    end = next((number for number in range(start + 1, len(lines)) if says(lines[number], others)), len(lines))
    return flat(" ".join(lines[start:end]))


@dataclass(frozen=True, kw_only=True, slots=True)
class Voucher:
    """One result of Authentication-Results: `dmarc`, `fail` and the domain that it speaks of, all in lower case."""

    method: str
    result: str
    domain: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Mail:
    """A message with what the checks ask of it, found once.

    `headers` maps a name to its values in lower case, topmost first; `subject` is flat and in lower case; `ends` are the
    flat beginning and end of the customer's own words; `vouchers` is what trusted servers said of the sender.
    """

    message: Message
    rules: Rules
    history: History
    headers: Mapping[str, list[str]]
    subject: str
    ends: str
    vouchers: tuple[Voucher, ...] = ()

    def all(self, name: str) -> list[str]:
        """Every value of a header, topmost first."""
        return self.headers.get(name, [])

    def first(self, name: str) -> str:
        """The topmost value of a header, or nothing."""
        return next(iter(self.all(name)), "")


# A quoted string, a comment's bracket, the end of a result, or a word (RFC 8601 section 2.2).
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[();]|[^\s"();]+')
RESULT = re.compile(r"([a-z0-9-]+)(?:/\d+)? ?= ?([a-z]+)")
SPOKEN_OF = {"dmarc": ("header.from",), "spf": ("smtp.mailfrom", "smtp.mfrom"), "dkim": ("header.d", "header.i")}


def clauses(value: str) -> Iterator[str]:
    """The parts of a header between semicolons, without comments; what a quoted string holds is never read as syntax."""
    depth, part = 0, list[str]()
    for match in TOKEN.finditer(value):
        token = match.group()
        if token == "(":
            depth += 1
        elif token == ")":
            depth = max(0, depth - 1)
        elif depth == 0 and token == ";":
            yield " ".join(part)
            part = []
        elif depth == 0:
            part.append(token)
    yield " ".join(part)


def vouchers(headers: Mapping[str, list[str]], trusted: frozenset[str]) -> tuple[Voucher, ...]:
    """What the topmost Authentication-Results says, if a trusted server wrote it (RFC 8601 section 5); else nothing.

    Every header below it, and one without an authserv-id of its own, may have come with the mail.
    """
    found = headers.get("authentication-results")
    if not found or not trusted:
        return ()
    first, *rest = clauses(found[0])
    server = first.split(" ")[0].strip('"')
    if server not in {name.lower() for name in trusted} or "=" in server:
        return ()
    return tuple(voucher(clause, match) for clause in rest if (match := RESULT.match(clause)))


def voucher(clause: str, match: re.Match[str]) -> Voucher:
    """One clause of Authentication-Results with the domain that it speaks of, if it names one."""
    method, result = match.groups()
    for name in SPOKEN_OF.get(method, ()):
        said = re.search(rf"(?:^| ){re.escape(name)} ?= ?(\S+)", clause)
        if said:
            return Voucher(method=method, result=result, domain=said.group(1).strip('"<>').rpartition("@")[2])
    return Voucher(method=method, result=result, domain="")


def related(one: str, other: str) -> bool:
    """Whether two domains belong together: they are the same, or one lies below the other."""
    short, long = sorted((one, other), key=len)
    return one == other or ("." in short and long.endswith("." + short))


def opened(message: Message, rules: Rules, history: History) -> Mail:
    """The message laid out for the checks."""
    headers: dict[str, list[str]] = {}
    for name, value in message.headers:
        headers.setdefault(name, []).append(value.lower())
    text = message.text
    ends = text if len(text) <= OPENING + FOOTER else f"{text[:OPENING]}\n{text[-FOOTER:]}"
    return Mail(
        message=message,
        rules=rules,
        history=history,
        headers=headers,
        subject=flat(message.subject).lower(),
        ends=flat(ends),
        vouchers=vouchers(headers, rules.trusted_authserv),
    )


def is_bounce(mail: Mail) -> bool:
    """Whether a mail server says that a mail of ours did not arrive: by a report (RFC 3464), a header or its words.

    Reports that tell of a delivery alone are none. Without a block that failed, a server has to have written it and to
    say so; when neither its name nor an empty envelope gives it away, subject and text must both say it.
    """
    if mail.message.failures:
        return any(failed(failure) for failure in mail.message.failures)
    if mail.first("x-failed-recipients"):
        return True
    subject = says(mail.subject, NOT_DELIVERED)
    if DAEMON.search(flat(mail.first("from")).lower()):
        return subject or says(report(mail.message), NOT_DELIVERED_TEXT)
    if is_null_sender(mail) or mail.message.report_type == "delivery-status":
        return subject
    return subject and not ANSWER.match(mail.subject) and says(report(mail.message), NOT_DELIVERED_TEXT)


def report(message: Message) -> str:
    """The words of a bounce as one line: what cutting took away belongs to them."""
    return flat(f"{message.text}\n{message.quoted}"[:REPORT]).lower()


def bounced(mail: Mail) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The recipients that a bounce names, and those of them that do not exist; lower case, each once."""
    found: dict[str, bool] = {}
    for one, status, words in casualties(mail):
        found[one] = found.get(one, False) or is_dead(status, words)
    return tuple(found), tuple(one for one, dead in found.items() if dead)


def casualties(mail: Mail) -> Iterator[tuple[str, str, str]]:
    """Each failed recipient of a bounce with its status and the words said of it, from the surest place that names one."""
    message = mail.message
    blocks = [(failure.recipient.strip("<> ").lower(), failure) for failure in message.failures if failed(failure)]
    if any("@" in recipient for recipient, _ in blocks):
        yield from ((one, each.status, flat(each.diagnostic).lower()) for one, each in blocks if "@" in one)
        return
    text = f"{message.text}\n{message.quoted}"[:REPORT].lower()
    header = addresses(" ".join(mail.all("x-failed-recipients")), frozenset())
    strangers = frozenset(address.key for address in (*message.recipients, *message.senders)) | ours(mail.rules)
    status = blocks[0][1].status if blocks else ""
    told = tuple(named(text, strangers))
    if header:
        words = dict(told)
        yield from ((one, status, words.get(one, "")) for one in header)
        return
    yield from ((one, status, words) for one, words in told)


ANSWER = re.compile(r"(?:re|aw|sv|antw|rv|res|ref|rif|fwd?|wg|tr|enc|i)\s?(?:\[\d+\])?:")


def ours(rules: Rules) -> frozenset[str]:
    """The keys of the mailbox's own addresses; empty if they are not known."""
    return rules.own_addresses | {rules.business.sender.key} if rules.own_addresses else frozenset()


def mailbox(key: str) -> str:
    """The address without its `+detail`, under which a mailbox has any number of names."""
    local, _, domain = key.rpartition("@")
    return f"{local.partition('+')[0] or local}@{domain}"


def is_loop(mail: Mail) -> bool:
    """Our own mail came back, or a thread so deep or a way so long that two machines must be talking."""
    references = mail.first("references").count("<")
    return OUR_HEADER in mail.headers or references > DEEPEST_THREAD or len(mail.all("received")) > MOST_HOPS


def is_own(mail: Mail) -> bool:
    """We wrote it: a copy of our own, or a forger who says so."""
    own = {mailbox(key) for key in ours(mail.rules)}
    return any(mailbox(sender.key) in own for sender in mail.message.senders)


def has_no_sender(mail: Mail) -> bool:
    """From does not hold exactly one valid mailbox, so nobody is known to answer."""
    return mail.message.sender is None


def is_null_sender(mail: Mail) -> bool:
    """The envelope says that nobody waits for an answer (RFC 5321 section 4.5.5)."""
    path = mail.headers.get("return-path")
    return bool(path) and path[0].strip("<> ").partition("@")[0] in ("", "mailer-daemon")


def is_calendar(mail: Mail) -> bool:
    """An invitation, its answer or its cancellation (RFC 5546): the calendar answers those, not a mail."""
    calendar = mail.message.calendar
    return bool(calendar and calendar.method) or mail.first("content-class").endswith("calendarmessage")


RECEIPT = re.compile(r"(?:read|not read|read receipt|leido|gelesen|lu|lida|letto|return receipt)\s?:")


def is_receipt(mail: Mail) -> bool:
    """A report of delivery or of reading (RFC 3464, RFC 8098), or one in a form of its own that has no words."""
    if mail.message.report_type in ("delivery-status", "disposition-notification") or mail.message.failures:
        return True
    return bool(RECEIPT.match(mail.subject)) and (mail.message.content_type == "application/ms-tnef" or not mail.ends)


def is_report(mail: Mail) -> bool:
    """Any other report of a machine: complaints (RFC 5965), DMARC, TLS (RFC 6522 is the frame of them all)."""
    return mail.message.content_type in ("multipart/report", "message/feedback-report")


def is_said(value: str) -> bool:
    """Whether a header says anything but no."""
    return value.strip() not in ("", "no", "none", "false", "0")


def forbids_answers(value: str) -> bool:
    """Whether X-Auto-Response-Suppress asks for silence (MS-OXCMAIL 2.1.3.2.20): a set of words, `none` is one of them."""
    return not {"all", "autoreply", "oof", "dr"}.isdisjoint(re.split(r"[,;\s]+", value))


def is_automatic_value(value: str) -> bool:
    """RFC 3834 section 5: every keyword but `no` stands for a machine; a comment or parameter may follow."""
    return re.split(r"[\s;(]", value.strip(), maxsplit=1)[0] not in ("", "no")


AUTOMATIC: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("auto-submitted", is_automatic_value),
    ("x-auto-response-suppress", forbids_answers),
    ("x-autoreply", is_said),
    ("x-autorespond", is_said),
    ("x-autoresponder", is_said),
    ("x-autoreply-from", is_said),
    ("x-mail-autoreply", is_said),
    ("x-autogenerated", is_said),
    ("x-ms-exchange-inbox-rules-loop", is_said),
    ("x-apple-action", "vacation".__eq__),
    ("x-loop", is_said),  # procmail's own mark
    ("x-fc-machinegenerated", is_said),  # FirstClass
    ("precedence", "auto_reply".__eq__),
)
# Subjects under which mail programs answer by themselves; a colon, a bracket or nothing follows.
AUTOMATIC_SUBJECTS = wordings(
    *("automatic reply", "automatic response", "automated reply", "automated response", "auto reply", "auto-reply"),
    *("autoreply", "auto response", "auto-response", "autoresponse", "auto-generated", "auto generated", "autoresponder"),
    *("out of office", "out of the office", "out-of-office", "out of office reply", "out of office autoreply"),
    *("out of office auto-reply", "away from mail", "auto"),
    *("respuesta automática", "respuesta automatizada", "autorrespuesta", "fuera de la oficina", "fuera de oficina"),
    *("automatische antwort", "automatische rückmeldung", "abwesenheitsnotiz", "abwesenheitsnachricht", "autoantwort"),
    *("réponse automatique", "absence du bureau", "absent du bureau", "message d'absence"),
    *("resposta automática", "fora do escritório", "ausência do escritório"),
    *("risposta automatica", "fuori sede", "fuori ufficio", "assente dall'ufficio"),
    *("automatisch antwoord", "automatische reactie", "autosvar", "automatiskt svar", "automatisk svar"),
    *("automaattinen vastaus", "automatyczna odpowiedź", "automatická odpověď", "automatikus válasz", "otomatik yanıt"),
    *("автоматический ответ", "автоответ", "автоматична відповідь", "自動応答", "自動返信", "自动回复", "自動回覆", "자동 회신"),
)
AUTOMATIC_SUBJECT = re.compile(
    rf"[\W_]{{0,3}}(?:{'|'.join(map(re.escape, AUTOMATIC_SUBJECTS))})\s?(?:[:\])*]|[-–—]\s|$)"
    r"|.{1,80} is out of the office\.?(?: \(returning .{1,40}\)\.?)?$"
)
# Each begins a sentence of its own: a customer who says "I know that this is an automated message" is not silenced.
AUTOMATIC_SENTENCES = tuple(
    flat(phrase)
    for phrase in (
        *("This is an automat", "This is an auto-", "This is an auto ", "This message was automatically generated"),
        *("This email was automatically generated", "This e-mail was automatically generated"),
        *("This message was sent automatically", "This email was sent automatically", "Please do not reply to this"),
        *("Please do not respond to this", "Do not reply to this", "Please don't reply to this"),
        *("Esta es una respuesta automática", "Este es un mensaje automático", "Este es un correo automático"),
        *("Este mensaje ha sido generado automáticamente", "Por favor, no responda a este", "No responda a este"),
        *("Dies ist eine automatisch", "Diese E-Mail wurde automatisch", "Diese Nachricht wurde automatisch"),
        *("Bitte antworten Sie nicht auf diese", "Ceci est une réponse automatique", "Ceci est un message automatique"),
        *("Merci de ne pas répondre à ce", "Veuillez ne pas répondre à ce", "Ne pas répondre à ce"),
        *("Esta é uma resposta automática", "Esta é uma mensagem automática", "Por favor, não responda a est"),
        *("Questa è una risposta automatica", "Questo è un messaggio automatico", "Si prega di non rispondere a quest"),
    )
)


def is_automatic(mail: Mail) -> bool:
    """A machine sent it: it says so in a header (RFC 3834), its subject or a sentence of its own."""
    if any(sign(value) for name, sign in AUTOMATIC for value in mail.all(name)):
        return True
    return bool(AUTOMATIC_SUBJECT.match(mail.subject)) or says(mail.ends, AUTOMATIC_SENTENCES)


# RFC 2369, RFC 2919, RFC 8058 and what list servers and mailing houses add.
LIST_HEADERS = (
    *("list-", "x-list", "x-mailman-", "x-beenthere", "mailing-list", "x-mailing", "x-ml-", "x-egroups-", "errors-to"),
    *("x-campaign", "x-bulkmail", "x-massmail", "x-newsletter", "x-feed2imap", "x-rss-"),
)
BULK = frozenset({"bulk", "list", "junk"})
LIST_ADDRESS = re.compile(
    r"(?:^|<)owner-|-(?:owner|request|bounces?|admin|errors)(?:\+[^@]*)?@|(?:^|[<._+@-])bounced?s?(?:[._+@-])"
    r"|(?:^|[<._+@-])(?:listserv|majordomo|mailman|newsletters?|mailinglist)[._+@-]"
)
FOOTERS = wordings(
    *("to unsubscribe, ", "to unsubscribe from", "to unsubscribe click", "to unsubscribe please", "to be removed from"),
    *("click here to unsubscribe", "to remove yourself from", "if you no longer wish to", "if you do not wish to receive"),
    *("if you wish to unsubscribe", "if you would like to unsubscribe", "if you prefer not to receive"),
    *("you are receiving this", "you received this", "manage your subscription", "manage your email", "unsubscribe here"),
    *("email preferences", "view this email in your browser", "update your profile"),
    *("si no desea recibir", "si no deseas recibir", "si ya no desea", "si ya no deseas", "para darse de baja"),
    *("para dejar de recibir", "haga clic aquí para darse de baja", "ha recibido este correo porque"),
    *("si vous ne souhaitez plus", "pour vous désinscrire", "pour vous désabonner", "pour ne plus recevoir"),
    *("wenn sie keine weiteren", "wenn sie diesen newsletter", "newsletter abbestellen", "um sich abzumelden"),
    *("se não deseja mais receber", "para cancelar a sua inscrição", "para deixar de receber"),
    *("se non desideri più ricevere", "per cancellarti", "per annullare l'iscrizione"),
)


def is_list(mail: Mail) -> bool:
    """It went to many: a list or a mailing, by its headers, its envelope or the footer below the writer's own words."""
    if any(name.startswith(LIST_HEADERS) for name in mail.headers) or not BULK.isdisjoint(mail.all("precedence")):
        return True
    # Exchange Online forwards people's mail under bounces+SRS=...@; that says nothing of the writer.
    envelope = [value for name in ("return-path", "sender", "from") for value in mail.all(name) if "srs" not in value]
    return any(LIST_ADDRESS.search(value) for value in envelope) or says(mail.ends.lower(), FOOTERS)


NO_REPLY = wordings(
    *("noreply", "donotreply", "dontreply", "donotrespond", "notreply", "neverreply", "noreplies", "replynot", "unattended"),
    *("nepasrepondre", "sansreponse", "noresponder", "noresponda", "norespondas", "noresponde", "sinrespuesta"),
    *("nichtantworten", "keineantwort", "nonrispondere", "nonrisponda", "naoresponda", "naoresponder", "nietantwoorden"),
    *("geenantwoord", "ikkesvar", "svarainte", "eivastata", "nieodpowiadaj", "neodpovidat"),
)


def is_no_reply(mail: Mail) -> bool:
    """The sender's address or name asks for no answer, in any language."""
    sender = mail.message.sender
    if sender is None:
        return False
    asked = (sender.address.rpartition("@")[0], sender.name, *(other.address for other in mail.message.reply_to))
    return any(says(re.sub(r"[^a-z@]", "", flat(name).lower()), NO_REPLY) for name in asked)


ROLES = frozenset(
    {
        *("abuse", "alert", "alerts", "announce", "announcements", "apache", "autoresponder", "bot", "bounce", "bounces"),
        *("cron", "daemon", "digest", "enews", "enewsletter", "feeds", "hostmaster", "list", "listmaster", "lists"),
        *("listserv", "mailer", "mailerdaemon", "mailinglist", "mailman", "majordomo", "news", "newsletter"),
        *("newsletters", "nobody", "notification", "notifications", "notify", "notifier", "offers", "postmaster"),
        *("promo", "promotions", "robot", "root", "rss", "rssfeeds", "survey", "surveys", "system", "uucp", "webmaster"),
        *("wwwdata", "updates", "boletin", "notificaciones", "infolettre", "rundbrief"),
    }
)


def is_role(mail: Mail) -> bool:
    """The sender is a program's or a postmaster's account, or a mailing's (RFC 2142; 3834 section 2)."""
    sender = mail.message.sender
    if sender is None:
        return False
    local, _, domain = mailbox(sender.key).rpartition("@")
    labels = domain.split(".")[:-2]
    whole = re.sub(r"[^a-z]", "", local)
    return whole in ROLES or not {"newsletter", "newsletters", "lists", "bounce", "bounces"}.isdisjoint(labels)


def is_to_nobody(mail: Mail) -> bool:
    """No recipient stands in it, or they are undisclosed: it went to many (RFC 3834 section 2)."""
    return not mail.message.recipients and not any(mail.all(name) for name in RESENT)


RESENT = ("resent-to", "resent-cc", "bcc")


def is_not_to_us(mail: Mail) -> bool:
    """None of our addresses is among its recipients (RFC 5230 section 4.5). Asked only if ours are known."""
    own = {mailbox(key) for key in ours(mail.rules)}
    if not own or any(mailbox(recipient.key) in own for recipient in mail.message.recipients):
        return False
    return not any(says(value, own) for name in RESENT for value in mail.all(name))


def is_spoofed(mail: Mail) -> bool:
    """A trusted server found that the sender did not send it (DMARC, RFC 7489)."""
    return any(each.method == "dmarc" and each.result == "fail" for each in mail.vouchers)


def is_authenticated(mail: Mail) -> bool:
    """A trusted server vouches for the domain of From: by DMARC, or by SPF or DKIM of a domain that is related to it."""
    sender = mail.message.sender
    if sender is None or is_spoofed(mail):
        return False
    passed = [each for each in mail.vouchers if each.result == "pass" and each.method in SPOKEN_OF]
    return any(
        (each.method == "dmarc" and not each.domain) or related(each.domain, sender.domain) for each in passed
    )


CHALLENGE = wordings(
    *("boxbe", "spamarrest", "spam arrest", "spamblocker", "mailblocks", "sender not pre-approved"),
    *("verify that you are", "confirm that you are", "verify your email to deliver", "one-time verification"),
    *("prove that you are", "your message is being held", "your message has been held", "is awaiting your confirmation"),
    *("to have your message delivered", "to ensure delivery of your message", "add you to my list of approved"),
    *("para que su mensaje sea entregado", "confirme que es una persona"),
)


def is_challenge(mail: Mail) -> bool:
    """Another mailbox asks us to prove that we are human: an answer would be a loop of a different kind."""
    return says(mail.subject, CHALLENGE) or says(mail.ends.lower(), CHALLENGE)


def is_spam(mail: Mail) -> bool:
    """Our own server filed it as spam; the mark may be forged, but only against its forger."""
    return mail.first("x-spam-flag").strip() == "yes" or mail.first("x-spam-status").strip().startswith("yes")


def is_suppressed(mail: Mail) -> bool:
    """This address is never written to again."""
    return mail.history.suppressed is not None


def is_too_big(mail: Mail) -> bool:
    """Only its headers were taken over, so nobody knows what it says."""
    return "too big" in mail.message.defects


CHECKS: tuple[tuple[str, Callable[[Mail], bool]], ...] = (
    ("bounce", is_bounce),  # before all else: servers mark bounces as automatic, too, and a bounce has work to do
    ("loop", is_loop),
    ("own", is_own),
    ("no_sender", has_no_sender),
    ("calendar", is_calendar),
    ("receipt", is_receipt),
    ("report", is_report),
    ("null_sender", is_null_sender),
    ("challenge", is_challenge),
    ("automatic", is_automatic),
    ("list", is_list),
    ("no_reply", is_no_reply),
    ("role", is_role),
    ("no_recipient", is_to_nobody),
    ("not_to_us", is_not_to_us),
    ("spoofed", is_spoofed),
    ("spam", is_spam),
    ("suppressed", is_suppressed),
    ("too_big", is_too_big),
)


def writes_elsewhere(mail: Mail) -> bool:
    """Reply-To asks to answer in a domain that is not the sender's (C2: the answer goes to From all the same)."""
    sender = mail.message.sender
    return sender is not None and not all(related(other.domain, sender.domain) for other in mail.message.reply_to)


def is_to_itself(mail: Mail) -> bool:
    """It is addressed to its own sender alone, as circulars and forgeries are."""
    sender = mail.message.sender
    return sender is not None and {other.key for other in mail.message.recipients} == {sender.key}


def has_defect(word: str) -> Callable[[Mail], bool]:
    """Whether parsing noted a defect of this kind."""
    return lambda mail: any(word in defect for defect in mail.message.defects)


DOUBTS: tuple[tuple[str, Callable[[Mail], bool]], ...] = (
    ("No trusted server vouches for the sender.", lambda mail: not is_authenticated(mail)),
    ("Reply-To is in another domain than the sender.", writes_elsewhere),
    ("The sender's name looks like another address.", has_defect("looks like another address")),
    ("Parsers disagree about this mail.", has_defect("disagree")),
    ("The mail is addressed to its own sender.", is_to_itself),
    ("The mail is old.", lambda mail: mail.message.old),
    ("This thread had an automatic answer before.", lambda mail: mail.history.answered_thread),
)


def screen(message: Message, rules: Rules, history: History) -> Screening:
    """What may be done with a mail, whatever it says: the first of CHECKS that stops it, and any DOUBTS if none does."""
    mail = opened(message, rules, history)
    check = next((name for name, stops in CHECKS if stops(mail)), None)
    lost, dead = bounced(mail) if check == "bounce" else ((), ())
    doubts = [sentence for sentence, arises in DOUBTS if check is None and arises(mail)]
    return Screening(
        check=check,
        may_reply=check is None,
        is_bounce=check == "bounce",
        bounced=lost,
        dead=dead,
        authenticated=is_authenticated(mail),
        doubt=" ".join(doubts) or None,
    )
