"""Understand a mail: what the writer wants, why, and how it is meant. Decides nothing of what follows from it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from pipeline.core import silence, trouble
from pipeline.core.folded import fold
from pipeline.core.languages import Heard, heard
from pipeline.core.records import Intent, Message, Reason, Rules, Scores, Span, Verdict
from pipeline.core.stated import calls_off, takes_back, warns

SEEN = 4_000  # characters of a mail that the model is asked about

_UNSURE_BELOW = 0.60  # of the intent: below it a person looks
_NOTHING_BELOW = 0.70  # ... of no intent, for a cancellation that nobody sees is lost; see models/experiments.md
_WARNED_BELOW = 0.95  # of a cancellation: below it who only warns of one ends nothing, and a person looks
_STRANGE_BELOW = 0.35  # share of familiar words
_FOREIGN_BELOW = 0.15
_FLAG_AT = 0.4

_WORD = re.compile(r"\w+")


def joined(subject: str, text: str) -> str:
    """Subject and new words as the model sees them."""
    return f"{subject}\n{text}".strip()[:SEEN]


def for_model(message: Message) -> str:
    """The text that the model is asked about."""
    return joined(message.subject, message.text)


_QUESTION = re.compile(r"[^.!?…:;\n]*\?")


def question_in(said: str | None) -> str | None:
    """The last question among words of ours, without what is quoted below them; None when they ask nothing."""
    ours = "\n".join(line for line in (said or "").splitlines() if not line.startswith(">"))
    asked = [question.strip() for question in _QUESTION.findall(ours) if question.strip(" ¿?")]
    return asked[-1] if asked else None


def understand(message: Message, scores: Scores, rules: Rules, asked: str | None = None) -> Verdict:
    """Say how a mail is to be read; its dates are found elsewhere. `asked` is the question of ours that it answers.

    `confidence` is the probability that intent and reason are both right. What is empty, strange or nearly even is `unsure`.
    """
    said = message.text[:SEEN]
    said_folded = fold(said)
    folded = joined(fold(message.subject), said_folded)
    bare = silence.is_bare(message)
    opt_out = bare or silence.is_asked_for(folded, scores.opt_out)
    scores = _in_context(scores, None if opt_out else asked)  # a wish for silence is no reason
    called_off = _called_off(message)
    intent, sure_intent = (Intent.CANCEL, 1.0) if called_off else _best(scores.intent)
    plain = not called_off and _may_be_told(intent, sure_intent) and calls_off(said, said_folded)
    overruled = plain and intent is not Intent.CANCEL
    if plain:
        intent, sure_intent = Intent.CANCEL, max(scores.intent[Intent.CANCEL], _said_so(scores))
    doubted = intent is Intent.CANCEL and not called_off and _ends_nothing(folded, sure_intent, plain=plain)
    if doubted:
        intent, sure_intent = Intent.NONE, scores.intent[Intent.NONE]
    reason, sure_reason = _reason(scores, said_folded, called_off) if intent is Intent.CANCEL else (None, 1.0)
    empty = not message.text.strip() and not called_off
    words = _WORD.findall(folded)
    spoken = heard(message.text or message.subject, words)
    grave = trouble.grave(folded, words)
    sensitive = trouble.sensitive(folded, scores.sensitive, grave)
    subreason = _subreason(scores, reason) if reason else None
    silent = empty or bare
    return Verdict(
        intent=intent if not silent else Intent.NONE,
        reason=reason if not silent else None,
        subreason=subreason if not silent else None,
        confidence=sure_intent * sure_reason,
        intent_confidence=sure_intent,
        runner_up=_runner_up(scores, intent, reason),
        language=_language(spoken, rules),
        sensitive=sensitive,
        grave=grave is not None,
        delicate=trouble.delicate(folded) if sensitive is None and intent is not Intent.NONE else None,
        opt_out=opt_out,
        firm=scores.firm >= _FLAG_AT or bool(_FIRM.search(folded)),
        question="?" in message.text or "?" in message.subject,
        unsure=not called_off
        and (
            overruled
            or doubted
            or _unsure(message, scores, intent, sure_intent, spoken, empty=empty)
            or _bare_and_new(message, bare)
            or (intent is Intent.CANCEL and takes_back(said_folded))
            or _only_points(message, said_folded)
        ),
        asked=asked,
        evidence=_evidence(message.subject.strip(), said, said_folded, intent, reason),
    )


# How much "it is nothing" weighs in an answer to our question, against 1 in any other mail: "bad timing, sorry" out of the
# blue is small talk, after "what made you decide?" it is the reason. Measured; see models/experiments.md.
_NOTHING_IN_ANSWERS = 0.1


def _in_context(scores: Scores, asked: str | None) -> Scores:
    """The probabilities as they are when we know that the mail answers a question of ours."""
    if asked is None:
        return scores
    weighed = {intent: p * (_NOTHING_IN_ANSWERS if intent is Intent.NONE else 1.0) for intent, p in scores.intent.items()}
    return replace(scores, intent={intent: p / sum(weighed.values()) for intent, p in weighed.items()})


def _ends_nothing(folded: str, likely: float, *, plain: bool) -> bool:
    """Whether what is taken for a cancellation is an offer ("We cancel your old plan for you"), or a mere warning of one."""
    return silence.is_sent_to_many(folded) or (not plain and likely < _WARNED_BELOW and warns(folded))


def _called_off(message: Message) -> bool:
    """A calendar says so, whatever the words say (RFC 5546: CANCEL, or a REPLY that declines)."""
    calendar = message.calendar
    if calendar is None:
        return False
    return calendar.method == "CANCEL" or (calendar.method == "REPLY" and calendar.partstat == "DECLINED")


# How sure a cancellation is that is said in so many words, by how likely the model takes it for one. Measured on our own mails,
# held out; see models/experiments.md. If the model takes it for something else, a person looks at it all the same.
_SAID_SO = ((0.5, 0.98), (0.15, 0.95), (0.0, 0.67))
# How sure the model must be of a reading for plain words to add nothing: of a cancellation as sure as they, of another date.
_ADDS_NOTHING = {Intent.CANCEL: 0.98, Intent.RESCHEDULE: 0.80}


def _may_be_told(intent: Intent, sure: float) -> bool:
    """Whether plain words for a cancellation may tell more than the model."""
    return intent not in _ADDS_NOTHING or sure < _ADDS_NOTHING[intent]


def _said_so(scores: Scores) -> float:
    return next(sure for likely, sure in _SAID_SO if scores.intent[Intent.CANCEL] >= likely)


def _best(probabilities: Mapping[Intent, float]) -> tuple[Intent, float]:
    intent = max(probabilities, key=lambda each: probabilities[each])
    return intent, probabilities[intent]


def _reason(scores: Scores, folded: str, called_off: bool) -> tuple[Reason, float]:
    reason = max(scores.reason, key=lambda each: scores.reason[each])
    worded = scores.intent[Intent.CANCEL] >= 0.5 and bool(folded.strip())
    if called_off and not worded:
        return Reason.UNSPECIFIED, 1.0
    if reason is Reason.UNSPECIFIED and _names_a_price(scores, folded):
        reason = Reason.PRICE
    return reason, scores.reason[reason]


_PRICE_AT = 0.25  # what the model must think at least of the price for its words to count


def _names_a_price(scores: Scores, folded: str) -> bool:
    """Whether a mail speaks of the price although the model hears no reason. Only this reason is told in words of its own."""
    return scores.reason[Reason.PRICE] >= _PRICE_AT and bool(_SHOWS_REASON[Reason.PRICE].search(folded))


# Which reasons a sub-reason goes with; the label rules are in models/corpus/README.md.
_GOES_WITH: Mapping[Reason, frozenset[str]] = {
    Reason.PRICE: frozenset("hardship cheaper_elsewhere price_rise budget competitor".split()),
    Reason.SERVICE: frozenset(
        "provider_side quality late unresponsive rude billing feature_gap hard_to_use competitor".split()
    ),
    Reason.TIMING: frozenset(
        "illness bereavement emergency travel provider_side postponed work childcare weather transport schedule_conflict"
        " pregnancy".split()
    ),
    Reason.NOT_READY: frozenset("still_comparing postponed budget hardship illness pregnancy".split()),
    Reason.OTHER: frozenset(
        "competitor need_ended moved illness bereavement changed_mind not_using diy closing pregnancy wrong_person".split()
    ),
    Reason.UNSPECIFIED: frozenset(),
}
_SUBREASON_AT = 0.4


def _subreason(scores: Scores, reason: Reason) -> str | None:
    """The most likely refinement among those that go with the reason, if it is likely enough to build on."""
    fitting = {name: p for name, p in scores.subreason.items() if name in _GOES_WITH[reason]}
    best = max(fitting, key=lambda each: fitting[each], default=None)
    share = sum(fitting.values()) + scores.subreason.get("none", 0.0)
    return best if best and fitting[best] >= _SUBREASON_AT * max(share, 1e-9) else None


def _runner_up(scores: Scores, intent: Intent, reason: Reason | None) -> str | None:
    """The second-best reading, such as `cancel/price` or `none`."""
    readings: dict[str, float] = {}
    for each, sure in scores.intent.items():
        if each is Intent.CANCEL:
            readings |= {f"{each}/{why}": sure * p for why, p in scores.reason.items()}
        else:
            readings[str(each)] = sure
    readings.pop(f"{intent}/{reason}" if reason else str(intent), None)
    return max(readings, key=lambda each: readings[each], default=None)


_HINT = re.compile(r"\b(?:cancel|anul|baja\b|terminat|unsubscrib|withdraw|reschedul|reprogram|reagend)")


def _unsure(message: Message, scores: Scores, intent: Intent, sure_intent: float, spoken: Heard, *, empty: bool) -> bool:
    """Strange text is only worth a person's time if it may be a cancellation; of another language nobody here can tell."""
    if empty:
        return scores.intent[Intent.NONE] < 0.5 or bool(_HINT.search(fold(message.subject)))
    if sure_intent < _UNSURE_BELOW or spoken.is_neither or scores.familiar < _FOREIGN_BELOW:
        return True
    if intent is Intent.NONE and sure_intent < _NOTHING_BELOW:
        return True
    return scores.familiar < _STRANGE_BELOW and scores.intent[Intent.NONE] < 0.9


_POINTS = re.compile(
    r"\W*(?:(?:hi|hello|hola|hey|team|dana|fyi|please|pls|por favor|see|ver|veas?e?|vean|mira|look|read|lee|check|the|el|la"
    r"|below|abajo|mas abajo|above|arriba|attached|adjunto|forwarded|reenviad[oa]|reenvio|forward|message|mail|e-?mail"
    r"|mensaje"
    r"|correo|from|de|and|y|action|handle|deal with|this|esto|thanks|thank you|gracias|can you|puedes|podeis|pueden|gestionar"
    r"|atender|tramitar|take care of|sort)\b\W*){1,12}"
)


def _only_points(message: Message, folded: str) -> bool:
    """The new words only point at what is forwarded below them, and that speaks of an ending."""
    return bool(message.quoted and _POINTS.fullmatch(folded) and _HINT.search(fold(message.quoted)))


def _language(spoken: Heard, rules: Rules) -> str:
    """The customer's language if it is offered, else the first that is."""
    offered = rules.business.languages
    language = "es" if spoken.is_spanish else "en"
    return language if language in offered else offered[0]


_FIRM = re.compile(
    r"\b(?:(?:my|our|the) (?:decision|mind) is (?:final|made up)|(?:don't|do not|please don't|no need to) (?:try to )?"
    r"(?:talk me|persuade|convince|change my mind)|nothing (?:you (?:can )?say|will change)|not up for (?:discussion"
    r"|negotiation)|"
    r"no (?:retention|counter) ?offers?|(?:la |mi |nuestra )?decision (?:es |esta )?(?:final|firme|definitiva|tomada)"
    r"|irrevocable|no (?:intenten?|insistan?|me (?:insistan?|convenzan?|llamen))|de forma definitiva|no hay vuelta atras)\b"
)


def _bare_and_new(message: Message, bare: bool) -> bool:
    """One word out of the blue may also mean the contract: nothing more is sent, and a person looks at it."""
    return bare and not message.thread


# What shows an ending, and what shows each reason: only for pointing at the words, never for deciding.
_SHOWS_INTENT: Mapping[Intent, re.Pattern[str]] = {
    Intent.CANCEL: re.compile(
        r"\b(?:cancel\w*|terminat\w+|clos(?:e|ing) (?:my|our|the) |unsubscrib\w+|discontinu\w+|not (?:be )?(?:renew"
        r"|continu|going ahead|"
        r"proceed|com)\w*|won't|no longer|can't (?:make|come|attend)|unable to|not coming|call (?:it )?off"
        r"|withdraw\w*|pull out|back out|stop\b|"
        r"end (?:my|our|the)|drop (?:my|the|out)|go(?:ing)? with|went with|decided|pass\b|don't (?:want|need|send|come)|"
        r"anul\w+|baja\b|rescin\w+|no (?:voy|vamos|puedo|podre|podremos|renov|seguir|segui|quiero|queremos|contin"
        r"|necesit)\w*|ya no|desist\w+|renunci\w+|suspend\w+|dejar\w*|dejo|dejamos|olvid\w+)\b"
    ),
    Intent.RESCHEDULE: re.compile(
        r"\b(?:reschedul\w+|rebook\w*|mov(?:e|ed|ing)|postpon\w+|push\b|shift\b|swap\b|another (?:day|time|date)"
        r"|different (?:day|time|date)|"
        r"instead|reagend\w+|reprogram\w+|cambi\w+|aplaz\w+|pospon\w+|otr[oa] (?:dia|hora|fecha)|mover\w*|pasar\w*"
        r"|correr\w*|adelant\w+)\b"
    ),
}
_SHOWS_REASON: Mapping[Reason, re.Pattern[str]] = {
    Reason.PRICE: re.compile(
        r"\b(?:pric\w+|expensive|afford\w*|cost\w*|budget\w*|cheap\w*|money|pay\w*|fees?|rates?|increase\w*|car[oa]s?"
        r"|preci\w+|presupuest\w+|barat\w+|dinero|plata|pag\w+|gast\w+|cobr\w+|tarif\w+|sub(?:io|ida|ieron)|cuest\w+)\b"
    ),
    Reason.SERVICE: re.compile(
        r"\b(?:rude\w*|late\b|never|nobody|no one|wrong|broken|bugs?|crash\w*|slow\w*|poor\w*|terrible|awful|worst"
        r"|disappoint\w+|unhappy|"
        r"unprofessional|complain\w*|mistake\w*|waited|waiting|charged|damag\w+|mal\b|pesim\w+|nadie|nunca|tarde"
        r"|lent\w+|groser\w+|fall\w+|roto|rota|error\w*|queja\w*|desastre|harto|harta|decepcion\w+|dañ\w+|espera\w*)\b"
    ),
    Reason.TIMING: re.compile(
        r"\b(?:work\w*|shift|meeting|sick|ill|flu|fever|hospital|surgery|travel\w*|flight|away|snow|storm|car|train"
        r"|babysitter|something came up|"
        r"emergency|schedul\w+|conflict|busy|trabaj\w+|turno|reunion|enferm\w+|fiebre|gripe|viaj\w+|vuelo|tormenta"
        r"|niñer\w+|surgi\w+|imprevisto|emergencia|horario|ocupad\w+|tiempo)\b"
    ),
    Reason.NOT_READY: re.compile(
        r"\b(?:not ready|for now|yet|hold\w*|wait\w*|later|next year|maybe|still (?:look|decid|compar)\w+|think\w*"
        r"|pause|postpon\w+|"
        r"por ahora|todavia|aun|esper\w+|mas adelante|proximo año|tal vez|quizas?|pens\w+|pausa|momento|compar\w+)\b"
    ),
    Reason.OTHER: re.compile(
        r"\b(?:no longer|any ?more|need|use|using|mov\w+|sold|chang\w+|mind|another|someone|else|different|ourselves"
        r"|myself|clos\w+|ya no|necesit\w+|uso|usa\w*|mud\w+|vend\w+|cambi\w+|otr[oa]s?|nosotr\w+|mism[oa]s?|cerra\w+)\b"
    ),
}
_SENTENCE = re.compile(r"[^\s.!?\n][^.!?\n]*(?:[.!?](?!\s|$)[^.!?\n]*)*[.!?]?")
_GREETING = re.compile(
    r"(?:hi|hello|hey|dear|good (?:morning|afternoon|evening)|hola|buen[oa]s|estimad[oa]s?)\b[^,.!?]{0,40}[,.!]?$"
)
_ADDRESSED = re.compile(
    r"[^,]{1,30}(?:, [^,]{1,30})?,$"
)  # "Mike," or what an abbreviation left of "Dear Dr. Amin, dear Tanya,"
_LONGEST = 200


def _evidence(subject: str, said: str, folded: str, intent: Intent, reason: Reason | None) -> tuple[Span, ...]:
    """The customer's own words that show the intent, and those that show the reason: at most two sentences.

    `folded` is what is said in lower case without accents, as long as that.
    """
    if intent is Intent.NONE:
        return ()
    pieces = {
        Span(text=said[start:end], start=start): folded[start:end]
        for start, end in _sentences(folded)
        if not (_GREETING.match(folded, start, end) or _ADDRESSED.match(folded, start, end))
    }
    if subject:
        pieces[Span(text=subject[:_LONGEST], start=-1)] = fold(subject[:_LONGEST])
    if not pieces:
        return ()
    found = [_showing(pieces, _SHOWS_INTENT[intent]) or next(iter(pieces))]
    if reason and reason in _SHOWS_REASON:
        found += [piece for piece in [_showing(pieces, _SHOWS_REASON[reason])] if piece]
    return tuple(sorted(dict.fromkeys(found), key=lambda piece: piece.start % (len(said) + 1)))


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    """Where each sentence begins and ends, or what of a long one is shown."""
    for match in _SENTENCE.finditer(text):
        start = match.start()
        yield start, start + len(match[0][:_LONGEST].rstrip())


def _showing(pieces: Mapping[Span, str], words: re.Pattern[str]) -> Span | None:
    """The piece with most of these words; None when none has any."""
    best = max(pieces, key=lambda piece: len(words.findall(pieces[piece])))
    return best if words.search(pieces[best]) else None
