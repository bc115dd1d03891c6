"""Understand a mail: what the writer wants, why, and how it is meant. Decides nothing of what follows from it."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pipeline.core.languages import Heard, heard
from pipeline.core.records import Intent, Message, Reason, Rules, Scores, Sensitive, Span, Verdict
from pipeline.core.stated import calls_off, takes_back

SEEN = 4_000  # characters of a mail that the model is asked about

_UNSURE_BELOW = 0.60  # of the intent: below it a person looks
_NOTHING_BELOW = 0.70  # ... of no intent, for a cancellation that nobody sees is lost; see models/experiments.md
_STRANGE_BELOW = 0.35  # share of familiar words
_FOREIGN_BELOW = 0.15
_FLAG_AT = 0.4
_SENSITIVE_AT = 0.4  # fails closed: a person looks at it rather than a program answering it
_SENSITIVE_CUED = 0.06  # what the model must think at least for a telling word to count
_OPT_OUT_AT = 0.65
_OPT_OUT_CUED = 0.1

_WORD = re.compile(r"\w+")

# One character for one character, so that places in the folded text are places in the customer's.
_FOLD = str.maketrans(
    string.ascii_uppercase + "ÁÀÄÂÉÈËÊÍÌÏÎÓÒÖÔÚÙÜÛÑáàäâéèëêíìïîóòöôúùüûñ’",
    string.ascii_lowercase + "aaaaeeeeiiiioooouuuunaaaaeeeeiiiioooouuuun'",
)


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
    said_folded = said.translate(_FOLD)
    folded = joined(message.subject.translate(_FOLD), said_folded)
    bare = _is_bare_opt_out(message)
    opt_out = bare or _opts_out(folded, scores)
    scores = _in_context(scores, None if opt_out else asked)  # a wish for silence is no reason
    called_off = _called_off(message)
    intent, sure_intent = (Intent.CANCEL, 1.0) if called_off else _best(scores.intent)
    plain = not called_off and _may_be_told(intent, sure_intent) and calls_off(said, said_folded)
    overruled = plain and intent is not Intent.CANCEL
    if plain:
        intent, sure_intent = Intent.CANCEL, max(scores.intent[Intent.CANCEL], _said_so(scores))
    reason, sure_reason = _reason(scores, said_folded, called_off) if intent is Intent.CANCEL else (None, 1.0)
    empty = not message.text.strip() and not called_off
    words = _WORD.findall(folded)
    spoken = heard(message.text or message.subject, words)
    grave = _grave(folded, words)
    sensitive = _sensitive(folded, scores, grave)
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
        delicate=_delicate(folded) if sensitive is None and intent is not Intent.NONE else None,
        opt_out=opt_out,
        firm=scores.firm >= _FLAG_AT or bool(_FIRM.search(folded)),
        question="?" in message.text or "?" in message.subject,
        unsure=not called_off
        and (
            overruled
            or _unsure(message, scores, intent, sure_intent, spoken, empty=empty)
            or _bare_and_new(message, bare)
            or (intent is Intent.CANCEL and takes_back(said_folded))
            or _only_points(message, said_folded)
        ),
        asked=asked,
        evidence=_evidence(message, intent, reason),
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


def _called_off(message: Message) -> bool:
    """A calendar says so, whatever the words say (RFC 5546: CANCEL, or a REPLY that declines)."""
    calendar = message.calendar
    if calendar is None:
        return False
    return calendar.method == "CANCEL" or (calendar.method == "REPLY" and calendar.partstat == "DECLINED")


# How sure a cancellation is that is said in so many words, by how likely the model takes it for one. Measured on our own mails,
# held out; see models/experiments.md. If the model takes it for something else, a person looks at it all the same.
_SAID_SO = ((0.5, 0.98), (0.15, 0.95), (0.0, 0.67))
_SURE_RESCHEDULE = 0.8


def _may_be_told(intent: Intent, sure: float) -> bool:
    """Whether plain words for a cancellation tell more than the model: not of another date of which it is sure."""
    return intent is not Intent.RESCHEDULE or sure < _SURE_RESCHEDULE


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
        return scores.intent[Intent.NONE] < 0.5 or bool(_HINT.search(message.subject.translate(_FOLD)))
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
    return bool(message.quoted and _POINTS.fullmatch(folded) and _HINT.search(message.quoted.translate(_FOLD)))


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

# Wishes not to be written to. What they must not catch: "we must stop this bill", "don't call before nine".
_OPT_OUT = re.compile(
    r"\bunsubscribe\b(?! (?:\w+ ){0,3}?from (?:the |my |our |your )?(?:\w+ )?(?:plan|premium|service|add-?on"
    r"|trial|membership))|\bopt(?:ing|ed)?[ -]?(?:me |us )?out\b"
    r"|\b(?:take|remove|delete|strike|drop|get|scrub) (?:me|us|my (?:name|e-?mail|address|number|details|contact)"
    r"|our (?:name|e-?mail|address|number|details))\b[^.!?\n]{0,12} (?:off|from"
    r"|out of)\b[^.!?\n]{0,30}\b(?:mailing|mailings|mail|e-?mail|emails|database|newsletters?|marketing"
    r"|campaigns?|call(?:ing)?|contact|distribution|blast|system|records|files|crm)\b"
    r"|\b(?:take|remove|get) (?:me|us|my name|my e-?mail|my number) off (?:of )?(?:your|this|that|whatever) lists?\b(?! for)"
    r"|\b(?:delete|erase|remove|wipe|forget|destroy) (?:all |any )*(?:of )?(?:my|our) (?:personal |contact "
    r"|private )*(?:data|details|info|information|e-?mail(?: address)?|number|phone|records?)\b"
    r"|\b(?:stop|quit|cease|enough with|knock off|no need for|do without|spare (?:me|us)) (?:all |the |these "
    r"|those |with |sending(?: me| us)? |getting |receiving )*(?:any |your |the |more |all |these |daily |weekly "
    r"|job |marketing |promo )*(?:e-?mail\w*|messages|messaging|texts|texting|calls|calling|ringing|phoning"
    r"|following up|contacting|newsletters?|promo\w*|marketing|mailings?|mailers|flyers|writing (?:to )?(?:me|us)"
    r"|follow[- ]?ups?|reminders|surveys|alerts|chasing|pestering|bothering|badgering|spam\w*|notifications)\b"
    r"|\b(?:no|not any|zero|without) (?:more |further |any |other |more of )*(?:your |the )?(?:e-?mails?|messages"
    r"|texts|texting|newsletters?|promo\w*|mailings?|marketing|follow[- ]?ups?|surveys?|phone calls|calls"
    r"|reminders to|spam|sms|win-?back\w*|letters asking|retention)\b(?! (?:from|since|about|yet|so far|came"
    r"|arrived|got|received|before|until|till|after|during|at work))"
    r"|\b(?:be|is|was|were) the (?:very )?last (?:one |mail |e-?mail |letter |message |call |word )?(?:of (?:our"
    r"|these|this|your|them)|(?:that )?(?:i|we) (?:get|receive|hear|see)|either of us)\b"
    r"|\b(?:cross|strike|scratch|take|keep) (?:[\w']+ ){1,3}off (?:your|the|any|that) (?:call|calling|mailing|contact"
    r"|sales|e-?mail)"
    r" ?(?:sheet|list)s?\b|\b(?:weren't|wasn't|am not|not be) on (?:the|your|that|any) (?:mailing |e-?mail )?list\b"
    r"|\bno need for (?:anyone|anybody|someone|somebody|you) to (?:call|ring|phone|write|e-?mail|contact|follow up)\b"
    r"|\bno (?:vuelvan?|vuelvas|volvais|siga|sigan) a? ?(?:figurar|aparecer|estar|figurando|apareciendo)\b[^.!?\n]{0,40}"
    r"(?:destinatarios|listas?|base)\b"
    r"|\b(?:do not|don't|dont|never|please no|pls no) (?:ever |please |bother |need to |want (?:any |more )*"
    r"|send (?:me |us )?(?:any |more |further )*)*(?:e-?mails?|newsletters?|promo\w*|mailings?|marketing"
    r"|follow[- ]?ups?|surveys?|sms|win-?back|offers)\b"
    r"|\b(?:do not|don't|dont|never|not to be|not be|not want to be|rather not be|nobody|no one"
    r"|no-one) (?:please |ever |should |need to |needs to |is to |to )*(?:e-?mail|write to|write|contact|text"
    r"|message|follow up|chase|ring|call|phone|contacted|emailed|called|chased|phoned|messaged|rung)(?: to"
    r"| with)? ?(?:me|us)?(?: again| any ?more| any further| back)?\b(?! ?(?:before|until|till|at work|after"
    r"|between|during|on the|if|in the|unless|off|me (?:before|until|at|after|off|down|up)))"
    r"|\b(?:don't|do not|no longer|never|rather not|not) (?:really |ever |even )*(?:want|wish|care|like|need"
    r"|ask)?(?:ed)? ?(?:to )?(?:be )?(?:hear(?:ing)? (?:anything )?(?:more |any more |again )*from (?:you|your"
    r"|anyone|anybody|them)|receiv(?:e|ing) (?:\w+ ){0,3}?(?:e-?mails?|mail|messages|newsletters?|promo\w*"
    r"|marketing|offers|communications?|texts|calls|updates|letters))\b"
    r"|\bwithdraw (?:my |our )?consent\b|\bunder (?:the )?gdpr\b|\bright to (?:be forgotten|erasure)\b"
    r"|\bleave (?:me|us) (?:alone|in peace|be)\b|\blose (?:my|our) (?:number|e?-?mail|address)\b"
    r"|\bno contact (?:from|please)\b|\bdo not disturb\b"
    r"|\b(?:ya )?no (?:me |nos |le |les )?(?:quiero|queremos|deseo|deseamos|quisiera|vuelvan?|vuelvas|volvais"
    r"|vayan?) (?:a )?(?:que (?:me |nos )?)?(?:mas )?(?:volver a |seguir )?(?:escrib|contact|mand|envi|llam"
    r"|molest|recib|busqu|text|insist)\w*"
    r"|\bno (?:me |nos |le |les )(?:vuelvan? a |vuelvas a |sigan? |esten? |anden? )?(?:mas )?(?:escrib|contact"
    r"|mand|envi|llam|molest|busqu|text|insist|avis|habl)\w*(?: (?:mas|nunca|jamas|por favor|para (?:ofrecer"
    r"|convencer)\w*|ofertas|publicidad|promo\w*|correos|mensajes|nada))?(?! (?:antes|hasta|a (?:la|las|esta"
    r"|casa)|al (?:trabajo|fijo|otro)|entre|despues|cuando|si |en (?:la|horario)|de (?:noche|madrugada)|lo|la "
    r"|el |los|las|un|una|esta|este))"
    r"|\bno (?:mas|quiero mas|queremos mas) (?:correos?|mensajes|mails?|emails?|publicidad|promo\w*|llamadas"
    r"|ofertas|whats\w*|encuestas|textos|sms|notificaciones|newsletters?|boletines)\b"
    r"|\bno (?:insista[ns]?|insistas|insistais)\b|\bni (?:una )?(?:llamadas?|correos?|mensajes?|publicidad"
    r"|promociones|ofertas)\b[^.!?\n]{0,25}\b(?:ni|mas|por favor)\b"
    r"|\b(?:saq|sac|quit|borr|elimin|retir|den|dar|dame|denme|darme|dadme)\w*(?: de baja)?\b[^.!?\n]{0,25}\b(?:de"
    r"|del) (?:la |su |sus |el |los |las |esa |esta |vuestra |tu |tus )*(?:lista de (?:correos?|difusion|envios"
    r"|contactos|distribucion|mails?|whats\w*|promo\w*|texts)|listas?(?: por favor)?(?=[.,;!\n]|$)"
    r"|base(?: de datos)?|boletin|newsletter|publicidad|mailing|envios|correos|promociones|recordatorios"
    r"|registros|sistema|grupo de whats\w*)"
    r"|\b(?:borr|elimin|suprim|cancel)\w* (?:todos |por favor |por completo )*(?:mis|nuestros|sus|los) datos\b"
    r"|\b(?:borr|elimin|quit|sac|saq)\w* (?:mi|este|el|nuestro) (?:numero|correo|email|mail|celular|celu|cel"
    r"|telefono|contacto|direccion)\b"
    r"|\b(?:dej|par|ces)\w* (?:ya )?de (?:mandar|enviar|escribir|llamar|contactar|molestar|textear|insistir"
    r"|marcar|buscar|spamear)\w*"
    r"|\bdejenme (?:en paz|tranquil[oa])\b|\bderecho (?:al olvido|de (?:supresion|cancelacion|oposicion))\b"
    r"|\bsin (?:mas )?(?:llamadas|correos|publicidad|mensajes|insistencias)\b"
)
# What sounds like such a wish and is none; it is taken out before they are looked for.
_OPT_OUT_TRAP = re.compile(
    r"\bstop (?:this |the |that )?(?:bill|payment|leak|noise|charge|delivery|order)\b"
    r"|\b(?:don't|do not|no) (?:please )?(?:take|remove|delete|hesitate to|me saq\w+|me borr\w+|me quit\w+"
    r"|me elimin\w+|nos saq\w+)\b[^.!?\n]{0,40}|\bno deje[ns]? de \w+"
    r"|\b(?:accidentally|by accident|by mistake|sin querer|por error)\b[^.!?\n]{0,40}"
    r"|\b(?:waiting|wait|waiting-) ?list\b|\blista de (?:espera|alumnos|clase|asistencia|precios|boda|regalos)\b"
    r"|\b(?:reply|respond) (?:stop|out|remove|baja)\b[^.!?\n]{0,20}|\bto (?:opt[ -]?out|unsubscribe)\b"
    r"|\bif you(?:'d| would)? (?:rather not|prefer not|no longer)[^.!?\n]{0,60}|\bsi no desea[^.!?\n]{0,60}"
    r"|\bpara (?:darse de baja|dejar de recibir)[^.!?\n]{0,40}"
    r"|\bunsubscribe ?[|·•]|[|·•] ?unsubscribe\b|\b(?:i|we)(?:'ll| will) (?:stop|quit) \w+ing\b"
    r"|\bunsubscribe (?:link|button|page|here|at|below)\b|\bunsubscribe ?(?:: |https?)|https?://\S*unsubscribe\S*"
    r"|(?:these|this|e-?mails?)\? ?unsubscribe\b|\b(?:hit|clicked|pressed|tick|how do i) (?:on )?'?(?:unsubscribe"
    r"|do not contact)\b"
)


# What the last line of our follow-ups asks for, as a mail of its own.
_BARE = re.compile(
    r"(?:please |por favor )?(?:stop|unsubscribe(?: me)?|remove me|opt ?out|take me off|no more (?:e?mails?|messages)"
    r"|baja|(?:dame|denme|darme|dar) de baja|cancelar (?:la )?suscripcion|no mas (?:correos|mensajes))"
    r"(?: please| por favor| thanks| thank you| gracias)?"
)

_BARE_LONGEST = 80  # characters


def _is_bare_opt_out(message: Message) -> bool:
    """Nothing but the word that our footer asks for, in the text or, when that is empty, in the subject."""
    said = message.text if message.text.strip() else re.sub(r"^(?:\s*(?:re|rv|aw)\s*:)+", "", message.subject, flags=re.I)
    if len(said) > _BARE_LONGEST:
        return False
    return _BARE.fullmatch(" ".join(re.findall(r"\w+", said.translate(_FOLD).lower()))) is not None


def _bare_and_new(message: Message, bare: bool) -> bool:
    """One word out of the blue may also mean the contract: nothing more is sent, and a person looks at it."""
    return bare and not message.thread


def _opts_out(folded: str, scores: Scores) -> bool:
    """By the model, or by words that the model does not rule out; never of who says in the same breath how to be reached."""
    if scores.opt_out < _OPT_OUT_CUED or _WANTS_TO_HEAR.search(folded):
        return False
    return scores.opt_out >= _OPT_OUT_AT or bool(_OPT_OUT.search(_OPT_OUT_TRAP.sub(" ", folded)))


# Who asks to be called, names the way to be reached, misses our mail, or complains of our silence, does not ask for silence.
_WANTS_TO_HEAR = re.compile(
    r"\b(?:can|could|would|will) (?:you|someone|somebody|anyone)(?: please)? (?:call|ring|phone|text|e-?mail|write to"
    r"|message|contact)"
    r" me\b|\b(?:please|pls|instead|then),? (?:call|ring|phone|text|e-?mail|write to|message|contact) me\b(?! if)"
    r"|\byou(?: guys)? never (?:ever )?(?:call|ring|phone|write|reply|answer|text|e-?mail|get back)\w*\b"
    r"|\b(?:have not|haven't|am not|i'm not|are not|stopped|no longer) (?:been )?(?:getting|receiving|had|received|got"
    r"|get) (?:any |the"
    r" |your )*(?:e-?mails?|messages|texts|reminders?|calls|newsletters?)\b"
    r"|\b(?:use|write to|try|call|reach me (?:at|on|by)) (?:this|my (?:new|other|home|work|private)) (?:address"
    r"|e-?mail|number|phone)\b"
    r"|\bhear (?:anything )?from (?:anyone|anybody|you)\b[^.!?\n]{0,12} (?:until|till|before)\b"
    r"|\bprefier[oe] (?:el |un |la |que me |por |recibir )?(?:correo|e-?mail|mail|telefono|llamada|mensaje|whats\w*"
    r"|sms|escriban"
    r"|llamen|manden)|\b(?<!no )(?:llam[ea]n?me|escrib[ae]n?me|avis[ae]n?me|contact[ae]n?me|llamad?me|escribid?me)\b(?! si)"
    r"|\b(?:pueden?|puedes|podeis) (?:llamar|escribir|contactar|avisar)me\b|\bdo not ship\b"
)

# In this order: grief before all, and what is said of a child or a lawyer before how it is said.
_SENSITIVE: Mapping[Sensitive, re.Pattern[str]] = {
    Sensitive.BEREAVEMENT: re.compile(
        r"\b(?:(?:has |have |had |just |suddenly |sadly |recently )*(?:died|passed (?:away|on|this morning"
        r"|last (?:night|week)|yesterday|in her sleep|in his sleep)|passing of|expired on)|is no more|is dead"
        r"|was dead|death (?:of|in (?:the|our|my))|(?:a|his|her|their|my|our|the) (?:sudden )?death|was killed"
        r"|were killed|funeral|wake on|bereave\w*|deceased|widow\w*|in mourning|mourning|grieving|condolences"
        r"|obituary|estate of|the late (?:mr|mrs)|my late (?:husband|wife|mother|father|mum|mom|dad|son|brother"
        r"|sister)|(?:lost|losing|buried|burying|bury) (?:my|our|his|her) (?:\w+ ){0,2}?(?:husband|wife|partner"
        r"|mother|father|mum|mom|mam|ma|dad|daddy|mummy|mommy|son|daughter|baby|brother|sister|gran|nan|nana"
        r"|granny|grandma|grandad|grandpa|grandfather|grandmother|aunt|uncle|niece|nephew|cousin|friend|fiance"
        r"|fiancee|boy|girl|in-law|dog|cat|stepdad|stepmum)|didn't make it|not make it through|took (?:him"
        r"|her) off the (?:machines|ventilator)|miscarr\w*|stillb\w*|born asleep|burial|cremat\w*|ashes"
        r"|put (?:him|her|them) to sleep|put down (?:on|yesterday|last)|had to (?:put|have) (?:him|her) down"
        r"|fallec\w+|(?:se |me |nos )?(?:ha muerto|han muerto|murio|murieron|ha fallecido|se nos fue"
        r"|se nos ha ido)(?: (?:mi|el|la|su|nuestr[oa]|de))?|(?:la|su) muerte|entierro"
        r"|entierran|enterr(?:amos|aron|e)|velorio|velatorio|velamos|sepelio|exequias|duelo|luto|viud[oa]"
        r"|descanso anoche|q\.?e\.?p\.?d|pesame|(?:perdi|perdimos|perdio"
        r"|mataron) (?:a )?(?:mi|un|el|al|la|nuestr[oa]|su) (?:\w+ )?(?:(?:bebe|hij[oa]|hijit[oa]|padre|madre"
        r"|mama|papa|papi|mami|esposo|esposa|marido|mujer|herman[oa]|abuel[oa]|abuelit[oa]|ti[oa]|prim[oa]"
        r"|sobrin[oa]|nuer[oa]|yerno|suegr[oa]|cuñad[oa]|cunad[oa]|viej[oa]|companer[oa]|pareja|amig[oa]|novi[oa]"
        r"|tata|yaya|yayo|perr[oa]|perrit[oa]|gat[oa])|embarazo))\b"
    ),
    Sensitive.MINOR: re.compile(
        r"\b(?:i'?m|i am|im|hi im|age) (?:only )?(?:[89]|1[0-7])(?: (?:years? old|yrs|yo|and\b|so\b|by\b)|[,.)])"
        r"|\b(?:i'?m|i am) in (?:[1-9]th|(?:fourth|fifth|sixth|seventh|eighth|ninth) )grade\b|\btengo (?:[89]"
        r"|1[0-7]) (?:anos|anitos)\b|\bsoy menor\b|\b(?:my|mi) (?:mom|mum|dad|parents|mama|papa|papas) (?:doesn't"
        r"|don't|doesnt|dont|didn't|no) (?:know|sabe\w*)\b|\b(?:safeguarding|child protect\w*|child services"
        r"|cps\b|nspcc|unsafe with|left (?:my|our) (?:\w+ )?(?:son|daughter|child|kid|toddler|baby|boy"
        r"|girl) (?:alone|unattended|on (?:his|her) own)|(?:touched|hit|slapped|grabbed|shoved|locked|hurt|shook"
        r"|dragged|screamed at) (?:my|our|her|his) (?:\w+ )?(?:son|daughter|child|kid|toddler|baby|boy|girl"
        r"|little)|grooming|menor de edad|proteccion (?:de|al) menor|(?:le |lo |la )?(?:peg\w*|golpe\w*|toc\w+"
        r"|encerr\w*|zarande\w*|grit\w*) a (?:mi|nuestr[oa]) (?:hij|nin|bebe|nen|chic|peque)\w*|dej(?:o"
        r"|aron) (?:sol[oa] )?a (?:mi|nuestr[oa]) (?:hij|nin|bebe)\w* sol[oa])\b"
    ),
    Sensitive.ABUSE: re.compile(
        r"\b(?:restraining order|protect(?:ion|ive) order|non-?molestation|no contact order|court order against"
        r"|domestic (?:violence|abuse)|abus(?:ive|ed|er|ing)|stalk(?:er|ing|ed|s)?|harass(?:ed|ing|ment|es)?"
        r"|threaten(?:ed|ing|s) (?:me|us|to (?:kill|hurt|hit))|my ex (?:must|should|can|is|has|keeps|found"
        r"|turned)\w*|(?:he|husband|partner|boyfriend|ex) (?:hits?|hit|beats?|beat|punched|kicked|choked|grabbed"
        r"|hurts?|threw) (?:me|her|us)|hit(?:s|ting)? me|beat(?:s|ing)? me|black eye|bruises|women's (?:shelter"
        r"|refuge|aid)|(?:in|at|to) (?:a|the) (?:shelter|refuge)|safe house|left him (?:last|on|this|in)"
        r"|run(?:ning)? away from (?:him|my)|touched me|groped|assault\w*|molest(?:ed|ing)|rape[ds]?"
        r"|sexual(?:ly)? harass\w*|orden de (?:alejamiento|proteccion|restriccion)|violencia (?:de genero"
        r"|domestica|intrafamiliar|machista|familiar)|maltrat\w+|acos\w+|me (?:amenaz|pega|peg[oa]|golpe|viola"
        r"|manose|persigue|vigila|encierra)\w*|me sigue (?:por|a (?:casa|todas)|hasta)|nos pega\w*|ojo morado"
        r"|moretones|casa de acogida"
        r"|puntos? violeta|abus(?:o|a|aba|ado|ador|aron)(?:s|r)?\b(?! de (?:confianza|paciencia)))\b"
    ),
    Sensitive.LEGAL: re.compile(
        r"\b(?:lawyers?|attorneys?|solicitors?|barrister|counsel|legal (?:action|advice|proceedings|team|steps"
        r"|representation|letter|department)|notice of termination|letter before action|cease and desist|sue"
        r"|suing|sued|lawsuit|litigation|court (?:claim|case|date|summons|proceedings)|small claims|take (?:you"
        r"|this|it) to court|see you in court|trading standards|ombuds\w+|attorney general|better business bureau"
        r"|bbb|consumer (?:protection|affairs|forum|court|rights)|tribunal|regulator|ofcom|ofgem|ftc|fcc"
        r"|chargeback|police report|reported (?:you|this|it) to|report (?:you|this) to the|police|arbitration"
        r"|mediation hearing|abogad[oa]s?|licenciado va a|letrad[oa]|procurador|demanda(?:re|remos|rlos|rles|r"
        r"|ndo)?\b(?! (?:alta|de mercado))|denunci\w+|juicio|tribunal\w*|juzgado|via (?:legal|judicial)"
        r"|acciones (?:legales|judiciales)|medidas legales|carta documento|burofax|requerimiento|querella"
        r"|conciliacion|citacion|profeco|condusef|indecopi|sernac|susalud|superintendencia|defensa del consumidor"
        r"|oficina del consumidor|omic|facua|consumo\b(?= (?:y|me|para|ha|dice))|hoja de reclamaciones"
        r"|libro de reclamaciones|fiscalia|inspeccion de (?:trabajo|consumo|educacion))\b"
    ),
    Sensitive.ILLNESS: re.compile(
        r"\b(?:cancer\w*|chemo\w*|radiotherapy|radiation (?:therapy|treatment)|tumou?rs?|leuk\w+|lymphoma"
        r"|malignan\w+|metasta\w+|stage (?:two|three|four|[234])|stroke|bypass|stents?|pacemaker|valve replacement"
        r"|heart (?:attack|failure|surgery"
        r"|operation)|hospice(?! (?:shop|fundrais\w+))|palliative|\bicu\b|intensive care|life support|dialysis|transplant"
        r"|terminal(?:ly)? ill|terminal(?= (?:illness|cancer|diagnosis))|(?:was|were|been|am|got|just) (?:just "
        r"|recently )?diagnosed|diagnosis|dementia|alzheimer\w*|parkinson\w*|\bals\b|multiple sclerosis|aneurysm"
        r"|biopsy|mastectomy|major surgery|emergency surgery|(?:my|his|her|the) (?:surgery|operation)"
        r"|depress(?:ion|ed)|burn-?out|breakdown|suicid\w*|self-harm|rehab|psychiatric|hospitali[sz]ed|(?:is|am"
        r"|was|are|been|still|back) in (?:the )?hospital|(?:the|in) (?:er|a&e|emergency room)\b|ambulance"
        r"|in a coma|quimio\w*|radioterapia|tumor(?:es)?|linfoma|maligno|metastasis|ictus|derrame|infarto"
        r"|aneurisma|\buci\b|\buti\b|terapia intensiva|cuidados (?:intensivos|paliativos)|intub\w+|en coma"
        r"|dialisis|trasplante|(?:me|le|nos|han|fue) (?:han )?(?:diagnosticaron|diagnosticado|detectado"
        r"|detectaron|encontraron un)|diagnostico (?:de|que)|demencia|leucemia|biopsia|(?:me|la|lo|le"
        r"|se) (?:van a )?(?:operan|operar|operaron)|cirugia|depresion|intento de suicidio|internad[oa]"
        r"|internaron|internar|hospitalizad[oa]|ingresad[oa] en|en (?:urgencias|el hospital)|(?:esta|sigue"
        r"|muy) grave|silla de ruedas|enfermedad (?:grave|terminal))\b"
    ),
    Sensitive.HARDSHIP: re.compile(
        r"\b(?:los(?:t|ing) (?:my|his|her|our|the) (?:job|jobs|work|house|home|business|contract)|laid off"
        r"|let go from|was let go|been let go|got fired|made redundant|redundanc\w+|unemploy\w+|out of work"
        r"|bankrupt\w*|insolven\w+|evict\w*|foreclos\w*|reposses\w*|repoed|food (?:bank|stamps|parcel)"
        r"|benefits? (?:stopped|cut|was|were|got)|universal credit|housing benefit|centrelink|in debt|debts"
        r"|debt collectors?|loan sharks?|moneylenders?|behind on (?:rent|the rent|everything|bills|my|our)"
        r"|rent arrears|arrears|can'?t (?:even )?(?:feed|pay (?:the|my|our|for) (?:rent|bills|mortgage|food"
        r"|heating)|afford (?:food|rent|groceries|to eat|heating))|choosing between|homeless|living in (?:my|our"
        r"|the) car|overdrawn|hours (?:were |have been |got )?cut|cut (?:my|his|her|our) (?:hours|shifts"
        r"|overtime)|shifts cut|furlough\w*|nothing left|no income|on (?:the dole|disability|sick pay)"
        r"|money'?s (?:run out|gone)|struggling (?:to pay|financially|to make ends meet)|make ends meet|(?:perdi"
        r"|perdio|perdimos|perdieron) (?:el|mi|su|nuestro|la) (?:trabajo|empleo|chamba|laburo|casa|negocio|pega)"
        r"|(?:me|se|nos) (?:he |ha |hemos )?(?:quede|quedo|quedado|quedamos) (?:sin|en)(?: el)? (?:trabajo|empleo"
        r"|laburo|chamba|pega|paro|la calle|ingresos|sueldo|nada)|sin (?:trabajo|empleo|chamba|laburo|ingresos"
        r"|sueldo)|desemple\w+|desahuci\w+|desaloj\w+|despid\w+|despedido|despidieron|recorte de personal"
        r"|me echaron|me corrieron|(?:vamos|vamos todos|nos vamos|fui|fuimos) a la calle|lo corrieron"
        r"|en (?:el )?paro\b|\bere\b|\berte\b|deudas|endeudad\w+|embarg\w+"
        r"|quiebra|quebre\b|cerrar el negocio|banco de alimentos|comedor social|no (?:me |nos )?(?:alcanza|llega"
        r"|da) (?:ni )?(?:para (?:comer|la (?:comida|renta|luz)|el (?:alquiler|arriendo)|nada)|a fin|el dinero"
        r"|la plata|el sueldo)|no tengo (?:ni )?(?:para (?:comer|pagar|el|la)|un peso|plata)|me (?:cortaron"
        r"|bajaron|redujeron) (?:las horas|los turnos|el sueldo|la luz|la jornada)|reducido la jornada|no (?:le "
        r"|te |se )?(?:lo |la )?(?:voy a )?pod(?:er|re) pagar)\b"
    ),
    Sensitive.ANGER: re.compile(
        r"\b(?:f+u+c*k\w*|f\*+\w*|eff (?:you|off)|wtf|bullshit|b/s|crap\b|shit\w*|sh\*t|assholes?|arseholes?"
        r"|bastards?|bitch\w*|scum\w*|thieves|thief|crooks?|cowboys|scam(?:mers?|ming)?|con artists?|con men"
        r"|robbers|robbing|rip-?off|idiots?|morons?|imbeciles|incompetent|useless (?:lot|idiots|people)"
        r"|disgust(?:ing|ed)|appall(?:ing|ed)|go to hell|what the hell|the hell is|rot in|screw you|how dare you"
        r"|pathetic|liars?|lying|a joke|sick of you|stick (?:it|your)|shove it|furious|livid|outrag(?:eous|ed)"
        r"|ashamed of yourselves|shame on you|never been so|worst (?:company|service|experience)|mierda|put[ao]s?"
        r"|hij\w+ de (?:put|su|la)\w*|cabron\w*|pendej\w+|estaf(?:a|ador\w*|adores)|ladron\w*|rater\w+|chorros"
        r"|chant[ao]s?|sinverguenzas?|imbecil\w*|idiotas?|inept\w+|incompetent\w+|mentiros\w+|joder|carajo"
        r"|(?:que|una|vaya|poca) verguenza|asco|asquer\w+|inutil(?:es)?|ratas|chinga\w*|boludos|pelotudos"
        r"|malparid\w+|gonorrea|conchud\w+|majader\w+|desgraciad\w+|indignad\w+|indignante|furios[oa]"
        r"|hart[oa]s? de|metanse|metase\w*|vayanse a)\b"
    ),
}


# Words that mean trouble whatever the model makes of the rest; of a business ("funeral flowers", "hospice shop") they don't.
_KIN = (
    r"(?:husband|wife|partner|mother|father|mum|mom|mam|dad|daddy|mummy|mommy|son|daughter|baby|brother|sister|gran|nan|nana"
    r"|granny|grandma|grandad|grandpa|grandfather|grandmother|aunt|uncle|niece|nephew|cousin|friend|fiancee?|mother-in-law"
    r"|father-in-law|stepdad|stepmum|stepmother|stepfather|boyfriend|girlfriend|child)"
)
_KIN_ES = (
    r"(?:bebe|hij[oa]|padre|madre|mama|papa|esposo|esposa|marido|mujer|herman[oa]|abuel[oa]|abuelit[oa]|ti[oa]"
    r"|prim[oa]|sobrin[oa]"
    r"|yerno|suegr[oa]|cunad[oa]|companer[oa]|pareja|amig[oa]|novi[oa]|yay[oa]|viej[oa])"
)
_GRAVE: Mapping[Sensitive, re.Pattern[str]] = {
    Sensitive.BEREAVEMENT: re.compile(
        rf"\b(?:my|our|his|her|their) (?:\w+ )?{_KIN}(?:'s)? (?:has |have |had |just |suddenly |sadly |recently |'s"
        rf" )*(?:died|passed|dying"
        r"|is dying|death|funeral|burial|wake|memorial)\b|\bpassed away\b|\b(?:mum|mom|dad|gran|nan|grandma|grandpa"
        r"|granny) (?:has |just"
        r" |suddenly )*(?:died|passed)\b|\bin mourning\b|\bgrieving\b|\bbereave(?:d|ment)\b|\bsitting shiva\b"
        r"|\bmemorial service\b"
        r"|\b(?:a|the|his|her|my|our|'s|family|to attend a) funeral\b(?! (?:home|director|parlou?r|flowers|wreath"
        r"|service business|plan))"
        rf"|\b(?:lost|losing|buried|burying|bury|death of) (?:my|our|his|her) (?:\w+ )?{_KIN}\b|\bdeath in (?:the|our"
        rf"|my) family\b"
        r"|\bmiscarr(?:y|ied|iage)\b|\bstillb(?:orn|irth)\b|\bborn asleep\b"
        r"|\b(?:ha |han |hemos |acaba de )?fallec(?:io|ido|ieron|er|imiento)\b|\b(?:de|en|guardar|guardando|guardamos) luto\b"
        rf"|\b(?:se |me |nos )?(?:ha muerto|han muerto|murio|se fue) (?:ayer |anoche |hoy )?(?:mi|nuestr[oa]) (?:\w+"
        rf" )?{_KIN_ES}\b"
        rf"|\b(?:mi|nuestr[oa]) {_KIN_ES} (?:se )?(?:ha muerto|murio|fallecio|acaba de morir)\b|\btanatorio\b"
        rf"|\bsepelio\b|\bexequias\b"
        rf"|\b(?:entierro|velorio|velatorio|funeral|muerte|fallecimiento) de (?:mi|nuestr[oa]|un|una|su) (?:\w+ )?{_KIN_ES}\b"
        rf"|\b(?:perdi|perdimos|enterramos|entierran|enterramos|velamos) (?:a |hoy a |ayer a )?(?:mi|nuestr[oa])"
        rf" (?:\w+ )?{_KIN_ES}\b"
        r"|\b(?:voy|vamos|ir|tengo|tenemos|hay) (?:a |al |a un |un |el )+(?:funeral|entierro|velorio|velatorio)\b"
        r"|\bperdi (?:el|mi) embarazo\b"
    ),
    Sensitive.ABUSE: re.compile(
        r"\brestraining order\b|\b(?:protection|protective|non-?molestation|no contact) order\b|\bdomestic (?:violence"
        r"|abuse)\b"
        r"|\bwomen'?s (?:shelter|refuge|aid)\b|\bmy (?:ex|husband|partner|boyfriend|ex-husband)(?: \w+)? (?:hits?"
        r"|beats?|beat|punched|choked"
        r"|hurts?|threatens?|threatened|won't let me|doesn't let me|stalks?) ?(?:me|us|leave)?\b|\borden de"
        r" (?:alejamiento|proteccion)\b"
        r"|\bviolencia (?:de genero|domestica|intrafamiliar|machista|familiar)\b|\bcasa de acogida\b|\b(?:mi|el)"
        r" (?:marido|ex|novio|pareja"
        r"|esposo) (?:me|nos) (?:pega|pego|amenaz\w+|golpe\w+|maltrat\w+|persigue)\b|\bpunto violeta\b"
    ),
    Sensitive.LEGAL: re.compile(
        r"\b(?:hear|hearing|letter) from (?:my|our|an?|the) (?:attorneys?|lawyers?|solicitors?)\b|\b(?:my|our)"
        r" (?:attorneys?|lawyers?|solicitors?)"
        r" (?:will|has|have|is|are|advise)\w*\b|\blegal (?:action|proceedings)\b|\b(?:file|filing|take you to) small"
        r" claims\b|\bsue you\b"
        r"|\bsee you in court\b|\btake (?:you|this|it) to court\b|\bletter before action\b|\bcease and desist\b"
        r"|\b(?:pongo|pondre|voy a poner|poner|presento|presentare|presentar|interpongo|interponer) (?:la |una |mi"
        r" )?(?:denuncia|demanda|queja"
        r" en (?:profeco|consumo))\b|\b(?:los|las|le|les|te|os) (?:voy a |vamos a )?(?:demand|denunci)\w+\b|\bacciones"
        r" (?:legales|judiciales)\b"
        r"|\bvia (?:legal|judicial)\b|\bmi abogad[oa] (?:se|les|le|va|ya|los)\b"
    ),
    Sensitive.ILLNESS: re.compile(
        r"\b(?:chemo(?:therapy)?|radiotherapy|radiation (?:therapy|treatment)|starts? radiation|leuka?emia|lymphoma"
        r"|metasta\w+|hospice(?! (?:shop|fundrais\w+))|palliative"
        r"|intensive care|life support|dialysis|alzheimer'?s?|parkinson'?s?|heart attack|had a stroke|(?:has|have|had"
        r"|got|breast|lung|bowel"
        r"|prostate|with|of) cancer(?! (?:research|charity|run|walk))|suicid(?:e|al)|in a coma|on a ventilator)\b"
        r"|\b(?:quimio(?:terapia)?|radioterapia|leucemia|linfoma|metastasis|infarto|ictus|terapia intensiva|cuidados"
        r" (?:intensivos|paliativos)"
        r"|dialisis|(?:tiene|tengo|de|con|el) cancer|intento de suicidio|en coma)\b|\b(?:en|a) la u[ct]i\b|\b(?:la|con"
        r"|por|tengo|una) depresion\b"
        r"|\b(?:my|his|her|with|severe|clinical) depression\b"
    ),
    Sensitive.HARDSHIP: re.compile(
        r"\b(?:lost|losing) (?:my|his|her|our|the) (?:job|jobs|house|home)\b|\blaid off\b|\bmade redundant\b|\b(?:my"
        r"|his|her) redundancy\b"
        r"|\bevict(?:ed|ing|ion)\b|\bfood (?:bank|stamps)\b|\b(?:i|we) (?:am|are|were|was|became) homeless\b|\bfiled"
        r" for bankruptcy\b"
        r"|\b(?:perdi|perdio|perdimos) (?:el|mi|su|nuestro) (?:trabajo|empleo|chamba|laburo)\b|\b(?:me|nos) (?:quede"
        r"|quedamos|he quedado"
        r"|hemos quedado) (?:sin|en)(?: el)? (?:trabajo|empleo|laburo|chamba|paro|la calle)\b|\b(?:me|nos|lo|la)"
        r" despidieron\b|\bdesahuci\w+\b"
        r"|\b(?:me|nos) desaloj\w+\b|\bbanco de alimentos\b"
    ),
}


# One of these stands in every text that holds such words, so that most texts need not be searched: a word, or how it begins.
_BEGINNING = 4
_GRAVE_BEGINS = frozenset(
    "died pass dyin deat fune buri bury wake memo mour grie bere shiv lost losi misc stil asle fall luto muer muri"
    " fue mori tana sepe exeq enti ente velo vela perd rest prot mole orde dome wome hit hits beat punc chok hurt thre"
    " let stal viol acog pega pego amen golp malt pers atto lawy soli lega smal sue cour lett ceas denu dema quej acci"
    " judi abog chem radi leuk lymp meta hosp pall life inte dial alzh park hear stro suic coma vent quim leuc linf"
    " infa ictu tera cuid uci uti depr laid redu evic food home bank qued desp desa banc cancer".split()
)


def _grave(folded: str, words: Sequence[str]) -> Sensitive | None:
    """The trouble that is told of in words that mean nothing else."""
    if _GRAVE_BEGINS.isdisjoint(words) and _GRAVE_BEGINS.isdisjoint(word[:_BEGINNING] for word in words):
        return None
    return next((kind for kind, told in _GRAVE.items() if told.search(folded)), None)


def _sensitive(folded: str, scores: Scores, grave: Sensitive | None) -> Sensitive | None:
    """What calls for a person: likely by the model, told in unmistakable words, or by a word that the model does not"
    " rule out."""
    likely = {name: p for name, p in scores.sensitive.items() if name != "none"}
    doubt = sum(likely.values())
    if doubt >= _SENSITIVE_AT:
        return Sensitive(max(likely, key=lambda each: likely[each]))
    if grave:
        return grave
    if doubt >= _SENSITIVE_CUED:
        return next((kind for kind, words in _SENSITIVE.items() if words.search(folded)), None)
    return None


def _delicate(folded: str) -> str | None:
    """The first word that may tell of grief, illness or other trouble. What it stands for is for a person to see."""
    found = (words.search(folded) for kind, words in _SENSITIVE.items() if kind is not Sensitive.ANGER)
    return next((match[0].strip() for match in found if match), None)


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


def _evidence(message: Message, intent: Intent, reason: Reason | None) -> tuple[Span, ...]:
    """The customer's own words that show the intent, and those that show the reason: at most two sentences."""
    if intent is Intent.NONE:
        return ()
    pieces = [Span(text=match[0][:_LONGEST].rstrip(), start=match.start()) for match in _SENTENCE.finditer(message.text)]
    pieces = [piece for piece in pieces if not (_GREETING.match(piece.text.translate(_FOLD)) or _ADDRESSED.match(piece.text))]
    if message.subject.strip():
        pieces.append(Span(text=message.subject.strip()[:_LONGEST], start=-1))
    if not pieces:
        return ()
    found = [_showing(pieces, _SHOWS_INTENT[intent]) or pieces[0]]
    if reason and reason in _SHOWS_REASON:
        found += [piece for piece in [_showing(pieces, _SHOWS_REASON[reason])] if piece]
    return tuple(sorted(dict.fromkeys(found), key=lambda piece: piece.start % (len(message.text) + 1)))


def _showing(pieces: list[Span], words: re.Pattern[str]) -> Span | None:
    counts = [len(words.findall(piece.text.translate(_FOLD))) for piece in pieces]
    return pieces[counts.index(max(counts))] if any(counts) else None
