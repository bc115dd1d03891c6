"""What a day in a mail is for: by what the model has learnt of the words around it, or by cues where it has learnt nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from math import exp

from pipeline.core.records import DateKind, DayPurpose, Intent

SURE = 0.6  # of what is acted upon: a wrong day is worse than none
_TOLD_ONLY = (DateKind.MENTIONED, DateKind.PAST)
_LEFT, _RIGHT = 14, 10  # words looked at on each side, at most to the ends of the sentence
_CLOSE_LEFT, _CLOSE_RIGHT = 6, 4  # ... and of them those that mean one thing in a cancellation and another elsewhere
_SOON, _FAR = timedelta(days=14), timedelta(days=60)
_WORD = re.compile(r"[a-z0-9']+|[.!?;:,\n]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Mention:
    """A piece of a text and the day meant. `back` is the day when the sentence looks back, `settled` when only one can be.

    `again` is the day when it has begun already and somebody wishes to hear from us in it, and what is longer than a day is
    `rough`.
    """

    start: int
    end: int
    day: date
    back: date | None = None
    settled: bool = False
    again: date | None = None
    rough: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class DayWords:
    """What the words around a day say of its purpose: for each feature a weight for each kind, and a bias for each."""

    kinds: tuple[DateKind, ...]
    weights: Mapping[str, tuple[float, ...]]
    bias: tuple[float, ...]

    def __call__(self, features: Mapping[str, float]) -> Mapping[DateKind, float]:
        """How likely the day is for each purpose."""
        known = [(self.weights[name], much) for name, much in features.items() if name in self.weights]
        rows = [weights if much == 1 else tuple(weight * much for weight in weights) for weights, much in known]
        said = [sum(column) for column in zip(self.bias, *rows, strict=True)]
        most = max(said)
        likely = [exp(each - most) for each in said]
        whole = sum(likely)
        return {kind: each / whole for kind, each in zip(self.kinds, likely, strict=True)}


def purposes(
    folded: str, mentions: Sequence[Mention], begins: int, intent: Intent, today: date, learnt: DayPurpose | None
) -> list[DateKind]:
    """What each day in a text of this intent is for.

    `folded` is subject and text in lower case without accents, place for place; the text begins at `begins`.
    """
    if learnt is None:
        kinds = [by_cues(folded, mention, intent, today) for mention in mentions]
    else:
        questions = asked(folded, mentions, begins, intent, today)
        kinds = [_likeliest(learnt(question), mention, today) for question, mention in zip(questions, mentions, strict=True)]
    if intent is not Intent.CANCEL:
        return kinds
    wished = _wished(folded, mentions, today)
    ended = [kind is DateKind.MENTIONED and _ends_on(folded, mention) for kind, mention in zip(kinds, mentions, strict=True)]
    return [
        DateKind.RETURN if wish else DateKind.CANCELLED if end else kind
        for wish, end, kind in zip(wished, ended, kinds, strict=True)
    ]


def _wished(folded: str, mentions: Sequence[Mention], today: date) -> list[bool]:
    """Whether each day is plainly the one on which the customer wants to hear from us: no model needs to be asked then."""
    found: list[bool] = []
    for number, mention in enumerate(mentions):
        ahead = max(mention.day, mention.again or mention.day) > today
        listed = bool(number and found[-1] and _OR.fullmatch(folded, mentions[number - 1].end, mention.start))
        found.append(ahead and (listed or _asks_for_contact(folded, mention)))
    return found


def _ends_on(folded: str, mention: Mention) -> bool:
    """Whether something ends on this day in so many words: "please close our account at the end of March"."""
    before, _ = _sentence(folded, mention)
    little = _LITTLE.match(folded, mention.start, mention.end)
    return _ENDS_ON.search(before + (little[0] if little else "")) is not None


def _asks_for_contact(folded: str, mention: Mention) -> bool:
    before, after = _sentence(folded, mention)
    words = folded[mention.start : mention.end]
    refused = _NOT_BEFORE.search(before)
    if refused and (refused["until"] or refused["till"] or refused["hasta"] or _UNTIL.search(words)):
        return True
    return bool(
        (_CONTACT_BEFORE.search(before) and not _TOLD.search(before)) or (_OPENS.search(before) and _CONTACT_AFTER.match(after))
    )


def asked(folded: str, mentions: Sequence[Mention], begins: int, intent: Intent, today: date) -> list[dict[str, float]]:
    """What the model is asked about each day in a text: names with their weights."""
    kinds = [by_cues(folded, mention, intent, today) for mention in mentions]
    return [_features(folded, mentions, begins, kinds, number, intent, today) for number in range(len(mentions))]


def _likeliest(found: Mapping[DateKind, float], mention: Mention, today: date) -> DateKind:
    if mention.settled and mention.day < today:
        return DateKind.PAST
    gone = not mention.settled and mention.back is not None
    possible = {kind: likely for kind, likely in found.items() if gone or kind is not DateKind.PAST}
    kind = max(possible, key=lambda each: possible[each])
    if kind in _TOLD_ONLY or possible[kind] >= SURE * sum(possible.values()):
        return kind
    return max((each for each in possible if each in _TOLD_ONLY), key=lambda each: possible[each], default=DateKind.MENTIONED)


def _features(
    folded: str,
    mentions: Sequence[Mention],
    begins: int,
    kinds: Sequence[DateKind],
    number: int,
    intent: Intent,
    today: date,
) -> dict[str, float]:
    """What the model is asked about one day; `kinds` are what cues say of each."""
    mention = mentions[number]
    before, after = _sentence(folded, mention)
    found = {f"is {word}": 1.0 for word in _tokens(re.sub(r"\d+", "0", folded[mention.start : mention.end]))}
    left, right = _tokens(before)[-_LEFT:], _tokens(after)[:_RIGHT]
    found |= _words_before(left) | _words_after(right)
    found |= {f"{intent}: before {word}": 0.7 for word in left[-_CLOSE_LEFT:]}
    found |= {f"{intent}: after {word}": 0.7 for word in right[:_CLOSE_RIGHT]}
    told = {f"rule {kinds[number]}", _distance(mention.day - today)}
    told |= {f"before {name}" for name, cue in _NAMED_CUES if cue.search(before)}
    told |= {f"after {name}" for name, cue in _NAMED_CUES if cue.search(after)}
    told |= _among(mentions, number)
    if mention.start < begins:
        told.add("in the subject")
    if number:
        told.add(f"previous {kinds[number - 1]}")
    return found | dict.fromkeys(told, 1.0) | dict.fromkeys((f"{intent}: {name}" for name in told), 1.0) | {str(intent): 1.0}


def _tokens(text: str) -> list[str]:
    return ["line" if word == "\n" else word for word in _WORD.findall(text)]


def _words_before(words: Sequence[str]) -> dict[str, float]:
    """Words in the order of the text; the near ones count more."""
    found: dict[str, float] = {}
    for away, word in enumerate(reversed(words)):
        found.setdefault(f"before {word}", 1.0 if away < 6 else 0.7)
        if away < 3:
            found[f"{away} before {word}"] = 1.0
    return found | {f"before {one} {two}": 1.0 for one, two in pairwise(words[-4:])}


def _words_after(words: Sequence[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for away, word in enumerate(words):
        found.setdefault(f"after {word}", 1.0 if away < 4 else 0.6)
        if away < 2:
            found[f"{away} after {word}"] = 1.0
    return found | {f"after {one} {two}": 1.0 for one, two in pairwise(words[:3])}


def _distance(ahead: timedelta) -> str:
    if ahead <= timedelta(0):
        return "gone" if ahead else "today"
    return "soon" if ahead < _SOON else "later" if ahead < _FAR else "far"


def _among(mentions: Sequence[Mention], number: int) -> set[str]:
    """Where it stands among the other days of the text."""
    day, others = mentions[number].day, [other.day for other in mentions]
    found = {f"days {min(3, len(others))}", f"number {min(2, number)}"}
    if any(other > day for other in others):
        found.add("a later one")
    if any(other < day for other in others):
        found.add("an earlier one")
    return found


def _sentence(folded: str, mention: Mention) -> tuple[str, str]:
    """What stands before and after a day in its sentence."""
    ends = [match.end() for match in _SENTENCE_END.finditer(folded, max(mention.start - 160, 0), mention.start)]
    stop = _SENTENCE_END.search(folded, mention.end, mention.end + 120)
    before = folded[ends[-1] if ends else max(mention.start - 160, 0) : mention.start]
    return before, folded[mention.end : stop.start() if stop else mention.end + 120]


def by_cues(folded: str, mention: Mention, intent: Intent, today: date) -> DateKind:
    """What the words around a day make of it: its own little words first, then the cue that stands nearest in the sentence."""
    if mention.settled and mention.day < today:
        return DateKind.PAST
    words = folded[mention.start : mention.end]
    if not mention.settled and mention.back and _BACKWARD.search(words):
        return DateKind.PAST
    if intent is Intent.CANCEL and _FORWARD.search(words):
        return DateKind.RETURN
    kind = _nearest(folded, mention, _CUES[intent]) or _ELSE[intent]
    if kind is DateKind.PAST and (mention.settled or mention.back is None):
        return _ELSE[intent]
    return kind


def _nearest(folded: str, mention: Mention, cues: Sequence[tuple[DateKind, re.Pattern[str]]]) -> DateKind | None:
    before, after = _sentence(folded, mention)
    best: tuple[int, DateKind] | None = None
    for kind, cue in cues:
        gaps = [len(before) - match.end() for match in cue.finditer(before)]
        following = cue.search(after)
        if following:
            gaps.append(following.start() + 15)  # what comes first weighs more: most cues stand before their day
        if gaps and (best is None or min(gaps) < best[0]):
            best = (min(gaps), kind)
    return best[1] if best else None


_SENTENCE_END = re.compile(r"[.!?](?=\s|$)|\n\n|;")

_BACKWARD = re.compile(r"\b(?:since|desde|last(?! [a-z]+ (?:in|of)\b)|pasad[oa]|ago|hace)\b")
_FORWARD = re.compile(r"\b(?:not before|until|till|til|hasta|after|despues|tras|pasad[oa]|partir)\b")


def _one_of(*phrases: str) -> str:
    return f"(?:{'|'.join(phrases)})"


# Wishes for contact that nobody reads otherwise come in front of whatever was learnt.
_TALK = _one_of(
    r"(?:call|phone|ring|text|e-?mail|write(?: to)?|contact|message|ping|ask|remind|try|nudge|hit) (?:me|us)",
    r"(?:(?:talk|speak|get back|come back|reach out) to|(?:check (?:back |in )?|follow up )with|get hold of) (?:me|us)",
    r"write|talk|check (?:back|in)|reach (?:back )?out|circle back|touch base|follow up|call back",
    r"(?:get|be) (?:back )?in touch|(?:ask|try|write|call|email) again",
    r"(?:let's|lets|let us|we can|we could) (?:talk|speak|chat|catch up|reconnect|revisit|pick (?:this|it) (?:back )?up)",
    r"give (?:me|us) (?:a|another) (?:call|shout|ring|bell|buzz|ping|try)|drop (?:me|us) a (?:line|note|mail|message)",
    r"(?:llam|escrib|contact|avis|busqu?|recuerd|pregunt|habl)(?:a|e|an|en|ad|ed|id)?(?:me|nos)",
    r"recuerd(?:a|e|en)(?:me|nos)lo",
    r"(?:nos )?(?:hablamos|hablemos|escribimos)|charlamos|pod(?:emos|riamos) (?:volver a )?hablar",
    r"(?:me|nos) (?:llam|escrib|contact|avis|busqu?)(?:a|e|as|es|an|en|ais|eis|aras?|aran|ieras?|ieran)",
    r"(?:vuelv[ae]n?|volved) a (?:llamar|escribir|contactar|avisar|preguntar|hablar)(?:me|nos)",
    r"(?:puedes?|pueden|podeis|podes) (?:volver a )?(?:llamar|escribir|contactar|avisar|preguntar|hablar)(?:me|nos)",
    r"(?:da|de|den|dad)(?:me|nos) (?:un toque|una llamada)",
    r"(?:manda|mande|manden|envia|envie|envien)(?:me|nos) un (?:mensaje|correo|mail|whatsapp)",
)
# What an order or an offer begins with; a tale does not: "I asked you to call me in October".
_BIDDEN = _one_of(
    r"^\s*",
    r"[.!?;:,()\n–—-] ?",
    r"\b(?:please|pls|and|but|so|or|then|just|do|maybe|perhaps|kindly|better|instead|feel free to|welcome to) ",
    r"\b(?:(?:you|please) (?:can|could|may|might)|(?:can|could|would|will) you|happy for you to|like you to) ",
    r"\b(?:gustaria|agradeceria|agradezco|prefiero|preferiria|ruego) que ",
    r"\b(?:y|pero|o|mejor|por favor|porfa|quizas?|tal vez|entonces|si acaso) ",
)
_AGAIN = _one_of(
    r"again|back|then|next|out|please|with (?:me|us)|(?:about|on) (?:it|this|that)|to (?:me|us)|later|once more|sometime|up",
    r"maybe|perhaps|around|about|say|when|once|instead|(?:a )?line|a note",
    r"otra vez|de nuevo|nuevamente|mas adelante|mejor|por favor|ya|cuando|quizas?|como",
)
_FIRST = r"(?:(?:please|then|you can|you could|you may|feel free to|do|ya|si|mejor|por favor|entonces) )*"
_WERE_YOU = (
    r"\b(?:love it|appreciate it|great|nice|glad|grateful|happy) if you (?:could |would )?"
    r"(?:(?:called|wrote to|e-?mailed) (?:me|us)|called|wrote|reached out|got in touch|checked (?:back|in)|followed up)"
)
_CONTACT_BEFORE = re.compile(rf"(?:{_BIDDEN}{_TALK}|{_WERE_YOU})(?:,? {_AGAIN})*[,:]? ?$")
_CONTACT_AFTER = re.compile(rf",? {_FIRST}{_TALK}\b(?! (?:you|the|my|your|que|con)\b)")
_OPENS = re.compile(r"(?:^|[.!?;:(\n]|\b(?:and|but|so|then|y|pero|mejor|entonces|quizas?|maybe|perhaps))[ ,\n]*$")
_TOLD = re.compile(
    r"\b(?:asked|told|said|promised|supposed|meant|never|nobody|no one|(?:didn|did no|don|do no|won|wouldn)'?t|no need to"
    r"|pedi|dije|dijeron|dijiste|prometi[a-z]*|quedaron|quedaste|nunca|nadie|no (?:me|nos|l[aeo]s?)|no hace falta)\b"
)
# Who asks us not to write before a day may be written to from that day on.
_NOT_BEFORE = re.compile(
    r"\b(?:don't|dont|do not|no need to|not|never) (?:bother to |try to |want to |wish to )?"
    r"(?:call|phone|ring|text|e-?mail|write|contact|message|ping|ask|chase|follow up|reach out|check|get in touch|bother"
    r"|hear (?:anything )?from (?:you|anyone|anybody))"
    r"(?: to)?(?: me| us)?(?: again| back| please)*,? ?(?P<until>(?:before|until|till|til) (?:the )?)?$"
    r"|\bno (?:more )?(?:calls|e-?mails|mails|messages|contact)(?: please)?,? ?"
    r"(?P<till>(?:before|until|till|til) (?:the )?)?$"
    r"|\bno (?:(?:hace falta|es necesario|hay) que )?(?:(?:me|nos) )?(?:vuelv[a-z]+ a )?"
    r"(?:llam|escrib|contact|busqu|habl|molest|avis)[a-z]+"
    r"(?: (?:mas|otra vez|de nuevo|por favor))*,? ?(?P<hasta>(?:hasta|antes de) (?:que )?(?:los ninos )?)?$"
)
_UNTIL = re.compile(r"\b(?:before|until|till|til|hasta|antes)\b")
_OR = re.compile(r",? ?(?:or|o|u|and|y|/) ?(?:maybe |quizas? )?")

# Between an ending and its day stand few words, and none that begins another thought.
_ON_WITH_IT = (
    r"(?:(?!(?:because|since|so|as|i|we|he|she|they|but|before|after|until|till|payment|if|when|while|which|who|due|last|dated"
    r"|invoice|letter|e-?mail|said|told|house|condo|doors|escrow|year)\b)[\w'#/-]+,? )"
)
_ENDS_ON = re.compile(
    rf"\b(?:terminat(?:e|es|ing)|cancel|end|close|discontinue|call off) {_ON_WITH_IT}{{0,7}}?"
    r"(?:effective(?: from| as of| on)?|as of|as from|with effect from|at the|from|on|to the|by)? ?(?:the )?$"
    rf"|\btake (?:me|us|him|her|them) off {_ON_WITH_IT}{{0,3}}?(?:for |on |from )?(?:the )?$"
    r"|\b(?:effective|with effect from)(?: from| on| as of)?(?: the)? ?$"
)
_LITTLE = re.compile(r"(?:(?:on|from|at|by|to|the|of|for) )+")

_PAST_TENSE = re.compile(
    r"\b(?:was|were|had|did|didn't|came|went|told|said|got|gave|sent|paid|bought|met|left|took|made|saw|rang|spoke"
    r"|lost|broke|fell|"
    r"found|kept|(?!need|speed|feed|indeed|bed|red|wed|shed|hundred|exceed|proceed)[a-z]{2,}ed|fue|fui|era|estaba"
    r"|habia|hubo|hizo|hice|"
    r"vino|vine|vinimos|estuvo|estuve|estuvimos|tuvo|tuve|tuvimos|pudo|pude|pudimos|puso|puse|pusimos|quiso|quise|supo|supe"
    r"|supimos|trajo|traje|dio|dimos|vio|vimos|murio|nacio|salio|salimos|fuimos|fueron|hicimos|dijimos|"
    r"dijo|dije|dijeron|pago|pague|llego|llamo|compre|pedi|mande|envie|reserve|contrate|[a-z]{3,}(?:aron"
    r"|ieron|aste|iste|aba)|"
    r"(?:ha|he|han|hemos|has) [a-z]+(?:ado|ido|to|cho))\b"
)
_RETURN = re.compile(
    r"\b(?:until|till|til|hasta|back|again|return\w*|restart|resume|revisit|reach out|get in touch|touch base"
    r"|check in|circle back|rejoin|"
    r"(?:call|write|ask|contact|email|ring|ping|remind|try|tell|text) (?:to )?(?:me|us)|volv\w+|vuelv\w+|retom\w+"
    r"|reanud\w+|regres\w+|"
    r"(?:llam|escrib|contact|avis|busc|record)[a-z]*(?:me|nos|les?)|hablamos|te (?:llamo|escribo|aviso|busco)|maybe"
    r"|perhaps|quizas?|tal vez|"
    r"capaz|wait\w*|esper\w+|hold(?:ing)? off|on hold|postpon\w+|not before|for now|por ahora|de momento"
    r"|por el momento|pens\w+|"
    r"think|look at (?:it|this)|see you|nos vemos|next time|la proxima|lo compro|ready|come summer|once|mejor"
    r"|aplaz\w+|pospon\w+)\b"
)
_NEW = re.compile(
    r"\b(?:to|do|come|instead|move|moved|push|swap|shift|bring|rebook\w*|reschedul\w*|how about|what about|free"
    r"|available|any chance|possible|"
    r"could|can|would|prefer|make it|works?|suits?|better|either|or|pasar\w*|pasemos|pasa|cambi\w*|mov\w*|muev\w*"
    r"|reprogram\w*|reagend\w*|"
    r"aplaz\w*|corr\w*|adelant\w*|atras\w*|retras\w*|podria\w*|puede\w*|puedo|podemos|podeis|podes|mejor|para|al|o"
    r"|hueco|disponible|"
    r"espacio|libre|tal vez|sirve|queda|viene bien)\b"
)
_OLD = re.compile(
    r"\b(?:from|instead of|rather than|can't|cant|cannot|won't|not|no|de|del|en vez de|en lugar de|had|tenia|teniamos"
    r"|have|tengo|tenemos|booked|"
    r"scheduled|supposed|agendad[oa]|reservad[oa]|my|mi|our|nuestra|cita|turno|clase|appointment|booking|session"
    r"|lesson|meeting|reunion|the)\b"
)
_OFF = re.compile(
    r"\b(?:cancel\w*|anul\w*|appointment|booking|booked|reservation|session|lesson|class|meeting|slot|table|visit"
    r"|viewing|call|stay|trip|"
    r"cita|turno|hora|reserva|clase|sesion|reunion|visita|mesa|llamada|can't|cant|cannot|won't|wont|not|unable|no|ni"
    r"|for|from|skip|miss|off|"
    r"scrap|stop|suspend\w*|baja|sin|del|de|lo)\b"
)
_ASIDE = re.compile(
    r"\b(?:last day|effective|due|expire\w*|renew\w*|renov\w*|bill\w*|charg\w*|invoice|deadline|notice|before|antes"
    r"|by|ends?|ending|ultimo dia|"
    r"vence\w*|cobr\w*|factura|recibo|plazo|nace|born|wedding|surgery|operation|operan|boda|exam\w*|flight|vuelo"
    r"|leave|leaving|moving|mudamos|"
    r"mudo|start|starts|empiez\w*|works?|trabaj\w*|hospital|funeral|entierro|court|juicio|confirm\w*|reply|responder"
    r"|refund|devol\w*)\b"
)

# For each intent, what a cue near the day makes of it. A kind named first wins when two cues stand equally near.
_CUES: Mapping[Intent, tuple[tuple[DateKind, re.Pattern[str]], ...]] = {
    Intent.CANCEL: (
        (DateKind.RETURN, _RETURN),
        (DateKind.PAST, _PAST_TENSE),
        (DateKind.MENTIONED, _ASIDE),
        (DateKind.CANCELLED, _OFF),
    ),
    Intent.RESCHEDULE: ((DateKind.PAST, _PAST_TENSE), (DateKind.NEW_SLOT, _NEW), (DateKind.CANCELLED, _OLD)),
    Intent.NONE: ((DateKind.PAST, _PAST_TENSE),),
}
_ELSE = {Intent.CANCEL: DateKind.CANCELLED, Intent.RESCHEDULE: DateKind.NEW_SLOT, Intent.NONE: DateKind.MENTIONED}

_NAMED_CUES = tuple({"back": _RETURN, "past": _PAST_TENSE, "aside": _ASIDE, "off": _OFF, "new": _NEW, "old": _OLD}.items())
