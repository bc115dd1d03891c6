"""Decide whether a mail may be answered: is it a bounce, may we write back, is there doubt. Sends nothing.

Whether the mail is a cancellation is not asked here. A wrong "no" costs a rep one look, a wrong "yes" can start a mail
loop: so one sign of a machine is enough, and wording can only ever make us more silent.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from pipeline.core.records import Address, Failure, History, Message, Rules, Screening

DEEPEST_THREAD = 20
MOST_HOPS = 50
OUR_HEADER = "x-winback-id"
READ = 20_000  # characters of a text that are searched: what a machine has to say, it says early
OPENING = 600  # characters at the beginning of a text in which an answering machine introduces itself
FOOTER = 2_000  # characters at its end in which a mailing explains how to leave it


def fold(text: str) -> str:
    """The form in which wordings compare: lower case, no accents, every run of white space one space."""
    if not text.isascii():
        text = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return " ".join(text.lower().replace("’", "'").split())


def wordings(*phrases: str) -> tuple[str, ...]:
    """A row of phrases, folded as the texts will be that they are looked for in."""
    return tuple(fold(phrase) for phrase in phrases)


def says(text: str, phrases: Iterable[str]) -> bool:
    """Whether a folded text holds one of the phrases."""
    return any(phrase in text for phrase in phrases)


@dataclass(frozen=True, kw_only=True, slots=True)
class Mail:
    """A message with what the checks ask of it, found once. `headers`: name to values in lower case, topmost first.

    `subject`, `opening` and `footer` are folded; the last two are of the customer's own words, never of quoted ones.
    """

    message: Message
    rules: Rules
    history: History
    headers: Mapping[str, list[str]]
    subject: str
    opening: str
    footer: str

    def all(self, name: str) -> list[str]:
        """Every value of a header in lower case, topmost first."""
        return self.headers.get(name, [])

    def first(self, name: str) -> str:
        """The topmost value of a header in lower case, or nothing."""
        return next(iter(self.all(name)), "")


def opened(message: Message, rules: Rules, history: History) -> Mail:
    """The message laid out for the checks."""
    headers: dict[str, list[str]] = {}
    for name, value in message.headers:
        headers.setdefault(name, []).append(value.lower())
    return Mail(
        message=message,
        rules=rules,
        history=history,
        headers=headers,
        subject=fold(message.subject),
        opening=fold(message.text[:OPENING]),
        footer=fold(message.text[-FOOTER:]),
    )


# --- bounces

# The names and local parts under which mail servers report. Folded From header.
DAEMON = re.compile(
    r"mail(?:er)?[-_. ]?daemon|mdaemon|daemon mail|post[-_. ]?master|(?:e-?)?mail[-_. ]?(?:deliver|admin|system|server|service)"
    r"|delivery[-_. ](?:sub)?system|system[-_. ]?administrator|microsoft exchange|\bndr\b|\bmailsweeper|antivirus_for_smtp"
    r"|administrador del sistema|administrateur systeme|systemadministrator|amministratore di sistema"
)
NOT_DELIVERED_SUBJECT = wordings(
    # English
    "undeliver", "returned mail", "return mail", "returned to sender", "returning to sender", "returning message to sender",
    "failure notice", "delivery fail", "failed delivery", "delivery has failed", "failure delivery", "delivery notification",
    "delivery status notification", "delivery report", "non-delivery", "non delivery", "nondeliver", "not delivered",
    "could not be delivered", "couldn't be delivered", "cannot be delivered", "can't be delivered", "unable to deliver",
    "mail delivery problem", "delivery problem", "delivery error", "error during delivery", "error sending your mail",
    "mail failed", "failed mail", "mail failure", "mail system error", "mail error", "processing error", "could not send",
    "not yet been delivered", "message delayed", "delivery delay", "delayed mail", "delivery incomplete", "message status",
    "rejected mail", "message rejected", "mail rejected", "bounce notification", "user unknown", "unknown user",
    "unknown address", "invalid address", "nameserver error", "not listed in", "permanent error", "unsent message",
    "delayed 24 hours", "mail bounced", "bounced mail",
    # Spanish, Portuguese, French, Italian, Romanian
    "no se pudo entregar", "no se ha podido entregar", "no entregado", "no se entrego", "devuelto al remitente",
    "correo devuelto", "mensaje devuelto", "error de entrega", "fallo de entrega", "fallo en la entrega", "no entregable",
    "nao entregue", "nao foi entregue", "nao pode ser entregue", "nao foi possivel entregar", "falha na entrega",
    "falha de entrega", "mensagem devolvida", "email devolvido", "devolvida ao remetente",
    "non remis", "non distribu", "echec de la remise", "echec de remise", "echec de la distribution", "echec d'envoi",
    "non delivre", "n'a pas pu etre", "impossible de remettre", "retour a l'expediteur", "avis de non-remise",
    "mancato recapito", "mancata consegna", "non recapitabile", "non consegnat", "impossibile recapitare",
    "impossibile consegnare", "restituito al mittente", "recapito non riuscito",
    "nelivrat", "nu a putut fi livrat", "livrare esuata",
    # German, Dutch, Swedish, Danish, Norwegian, Finnish
    "unzustellbar", "nicht zugestellt", "nicht zustellbar", "nicht ausgeliefert", "zustellung fehlgeschlagen", "zuruckgesandt",
    "zustellungsfehler", "fehlgeschlagene zustellung", "zustellproblem", "zuruck an absender",
    "onbestelbaar", "niet bezorgd", "niet afgeleverd", "kan niet worden bezorgd", "niet worden afgeleverd", "bezorging mislukt",
    "olevererbart", "kunde inte levereras", "gick inte att leverera", "ikke leveres", "ikke leveret", "kan ikke levere",
    "ikke levert", "uleverbar", "ei voitu toimittaa", "toimitus epaonnistui", "toimittamatta",
    # Polish, Czech, Hungarian, Turkish
    "niedostarcz", "nie dostarczono", "nie mozna dostarczyc", "zwrot wiadomosci", "nedoruc", "nepodarilo dorucit",
    "kezbesithetetlen", "nem kezbesit", "kezbesitesi hiba", "teslim edilemedi", "iletilemedi", "teslim edilemeyen",
    # Russian, Ukrainian, Greek
    "не доставлен", "недоставлен", "не удалось доставить", "ошибка доставки", "не может быть доставлен", "не доставлено",
    "невозможно доставить", "не вдалося доставити", "помилка доставки", "μη παραδοτε", "αποτυχια παραδοσης", "δεν παραδοθηκε",
    # Japanese, Chinese, Korean
    "配信不能", "配信でき", "配信エラー", "配信失敗", "配信されませ", "未配信", "送信でき", "送信エラー", "宛先不明", "エラーメール",
    "不達", "届けでき", "送信不能", "メール送信失敗",
    "退信", "无法投递", "投递失败", "无法送达", "无法传递", "未送达", "無法傳遞", "無法投遞", "退回", "退件", "傳送失敗",
    "배달 실패", "전송 실패", "전송실패", "발송 실패", "발송실패", "반송", "배달되지 않", "배달할 수 없", "전달되지 않", "전송되지 않",
)  # fmt: skip
