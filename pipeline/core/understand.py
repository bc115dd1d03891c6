"""Understand a mail: what the writer wants, why, and how it is meant. Decides nothing of what follows from it."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping

from pipeline.core.records import Intent, Message, Reason, Rules, Scores, Sensitive, Span, Verdict

SEEN = 4_000  # characters of a mail that the model is asked about

_UNSURE_BELOW = 0.60  # of the intent: below it a person looks
_STRANGE_BELOW = 0.35  # share of familiar words
_FLAG_AT = 0.4
_SENSITIVE_AT = 0.35  # fails closed: a person looks at it rather than a program answering it
_CUED = 0.08  # what the model must think at least for a telling word to count

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


def understand(message: Message, scores: Scores, rules: Rules) -> Verdict:
    """Say how a mail is to be read; its dates are found elsewhere.

    `confidence` is the probability that intent and reason are both right. What is empty, strange or nearly even is `unsure`.
    """
    folded = for_model(message).translate(_FOLD)
    bare = _is_bare_opt_out(message)
    called_off = _called_off(message)
    intent, sure_intent = (Intent.CANCEL, 1.0) if called_off else _best(scores.intent)
    reason, sure_reason = _reason(scores, message, called_off) if intent is Intent.CANCEL else (None, 1.0)
    empty = not message.text.strip() and not called_off
    subreason = _subreason(scores, reason) if reason else None
    silent = empty or bare
    return Verdict(
        intent=intent if not silent else Intent.NONE,
        reason=reason if not silent else None,
        subreason=subreason if not silent else None,
        confidence=sure_intent * sure_reason,
        intent_confidence=sure_intent,
        runner_up=_runner_up(scores, intent, reason),
        language=_language(message.text or message.subject, folded, rules),
        sensitive=_sensitive(folded, scores),
        opt_out=bare or _opts_out(folded, scores),
        firm=scores.firm >= _FLAG_AT or bool(_FIRM.search(folded)),
        question="?" in message.text or "?" in message.subject,
        unsure=(_unsure(message, scores, sure_intent, empty=empty) or _bare_and_new(message, bare)) and not called_off,
        evidence=_evidence(message, intent, reason),
    )


def _called_off(message: Message) -> bool:
    """A calendar says so, whatever the words say (RFC 5546: CANCEL, or a REPLY that declines)."""
    calendar = message.calendar
    if calendar is None:
        return False
    return calendar.method == "CANCEL" or (calendar.method == "REPLY" and calendar.partstat == "DECLINED")


def _best(probabilities: Mapping[Intent, float]) -> tuple[Intent, float]:
    intent = max(probabilities, key=lambda each: probabilities[each])
    return intent, probabilities[intent]


def _reason(scores: Scores, message: Message, called_off: bool) -> tuple[Reason, float]:
    reason = max(scores.reason, key=lambda each: scores.reason[each])
    worded = scores.intent[Intent.CANCEL] >= 0.5 and bool(message.text.strip())
    if called_off and not worded:
        return Reason.UNSPECIFIED, 1.0
    return reason, scores.reason[reason]


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


def _unsure(message: Message, scores: Scores, sure_intent: float, *, empty: bool) -> bool:
    """Strange text is only worth a person's time if it may be a cancellation at all."""
    if empty:
        return bool(_HINT.search(message.subject.translate(_FOLD)))
    if sure_intent < _UNSURE_BELOW:
        return True
    return scores.familiar < _STRANGE_BELOW and scores.intent[Intent.NONE] < 0.9


_SPANISH = re.compile(
    r"\b(?:el|la|los|las|que|de|del|para|por|con|una?|no|mi|su|es|y|se|lo|le|me|te|nos|les|pero|como|muy|ya|si|en|al"
    r"|hola|gracias|"
    r"quiero|puedo|cita|buenos|buenas|usted|ustedes|favor|estoy|hay|porque|cuando|manana|tengo|voy)\b"
)
_ENGLISH = re.compile(
    r"\b(?:the|and|to|of|for|my|is|it|you|we|i|can't|please|thanks|thank|hi|have|with|not|be|are|this|on|but|that"
    r"|your|was|will|"
    r"do|don't|at|our|from|if|so|would|just|i'm|an|can|need|want|what|how)\b"
)
_SPANISH_SIGNS = re.compile(r"[ñ¿¡]|ción\b|[áéíóú]", re.IGNORECASE)


def _language(text: str, folded: str, rules: Rules) -> str:
    """The customer's language if it is offered, else the first that is."""
    offered = rules.business.languages
    spanish = len(_SPANISH.findall(folded)) + len(_SPANISH_SIGNS.findall(text))
    spoken = "es" if spanish > len(_ENGLISH.findall(folded)) else "en"
    return spoken if spoken in offered else offered[0]


_FIRM = re.compile(
    r"\b(?:(?:my|our|the) (?:decision|mind) is (?:final|made up)|(?:don't|do not|please don't|no need to) (?:try to )?"
    r"(?:talk me|persuade|convince|change my mind)|nothing (?:you (?:can )?say|will change)|not up for (?:discussion"
    r"|negotiation)|"
    r"no (?:retention|counter) ?offers?|(?:la |mi |nuestra )?decision (?:es |esta )?(?:final|firme|definitiva|tomada)"
    r"|irrevocable|"
    r"no (?:intenten?|insistan?|me (?:insistan?|convenzan?|llamen))|de forma definitiva|no hay vuelta atras)\b"
)

# Wishes not to be written to. What they must not catch: "we must stop this bill", "don't call before nine".
_OPT_OUT = re.compile(
    r"\bunsubscribe\b(?! (?:me )?from the (?:plan|premium|service))|\bopt(?:ing|ed)?[ -]?(?:me )?out\b"
    r"|\b(?:take|remove|delete|strike|drop) (?:me|us|my (?:name|e?-?mail|address|number|details)) (?:off"
    r"|from)\b[^.!?\n]{0,30}"
    r"\b(?:list|lists|mailing|mailings|database|newsletter|marketing|campaign)\b"
    r"|\b(?:stop|quit|cease) (?:all |the |these |those |with the |sending(?: me| us)? )*(?:any |your |the |more |all "
    r"|these )*"
    r"(?:e-?mail\w*|messag\w*|texts?|texting|calling|contacting|newsletters?|promo\w*|marketing|mailings?"
    r"|writing (?:to )?(?:me|us)|"
    r"follow[- ]?ups?|reminders|chasing|spam\w*)\b"
    r"|\b(?:do not|don't|dont|never|please no|no more|no further|without) (?:further |any more |more |any |ever )*"
    r"(?:e-?mails?|messages|texts?|newsletters?|promo\w*|offers|mailings?|marketing|follow[- ]?ups?|surveys?|contact"
    r"|reminders|win-?back)\b"
    r"|\b(?:do not|don't|dont|never|not to be|not be|not want to be) (?:please )?(?:e-?mail|write|contact|text"
    r"|message|follow up|chase|"
    r"contacted|emailed|called|chased|phoned)(?: to| with)? ?(?:me|us)?(?: again| any ?more| any further)?\b(?! (?:before"
    r"|until|at work|after))"
    r"|\bleave (?:me|us) (?:alone|in peace|be)\b|\blose my (?:number|e?-?mail|address)\b"
    r"|\bno (?:me |nos |le |les |quiero |queremos |deseo |quisiera |vuelvan a |vuelva a |vuelvas a |vayan a )*(?:mas )?"
    r"(?:escrib\w+|contact\w+|mand\w+|envi\w+|llam\w+|molest\w+|recib\w+|busqu\w+|insist\w+"
    r"|hagan seguimiento)\b[^.!?\n]{0,25}"
    r"\b(?:mas|nunca|correos?|mails?|emails?|mensajes?|publicidad|promociones|promos|ofertas|boletin\w*|newsletters?"
    r"|whats\w*|comunicaciones|"
    r"propaganda|recordatorios|seguimiento|nada)\b"
    r"|\bno (?:me |nos )(?:escrib|contact|molest|busqu|habl|llam|insist|vuelvan a (?:escrib|contact|llam))\w*(?: mas"
    r"| por favor)?\s*(?=[.,!;\n]|$)"
    r"|\b(?:saq\w+|sac\w+|quit\w+|borr\w+|elimin\w+|retir\w+|den\w* de baja|dar de baja|baja)\b[^.!?\n]{0,30}"
    r"\b(?:lista|listas|base de datos|boletin|newsletter|publicidad|mailing|envios|correos|promociones|grupo)\b"
    r"|\b(?:dej\w+|par\w+|ces\w+) de (?:mandar|enviar|escribir|llamar|contactar|molestar)\w*|\bno mas (?:correos"
    r"|mensajes|mails|publicidad|"
    r"promociones|llamadas|ofertas|whats\w*)\b|\bdejenme (?:en paz|tranquil[oa])\b"
)
_OPT_OUT_TRAP = re.compile(r"\bstop (?:this |the |that )?(?:bill|payment|leak|noise|charge|delivery|order)\b")


# What the last line of our follow-ups asks for, as a mail of its own.
_BARE = re.compile(
    r"(?:please |por favor )?(?:stop|unsubscribe(?: me)?|remove me|opt ?out|take me off|no more (?:e?mails?|messages)"
    r"|baja|(?:dame|denme|darme|dar) de baja|cancelar (?:la )?suscripcion|no mas (?:correos|mensajes))"
    r"(?: please| por favor| thanks| thank you| gracias)?"
)


def _is_bare_opt_out(message: Message) -> bool:
    """Nothing but the word that our footer asks for, in the text or, when that is empty, in the subject."""
    said = message.text if message.text.strip() else re.sub(r"^(?:\s*(?:re|rv|aw)\s*:)+", "", message.subject, flags=re.I)
    return _BARE.fullmatch(" ".join(re.findall(r"\w+", said.translate(_FOLD).lower()))) is not None


def _bare_and_new(message: Message, bare: bool) -> bool:
    """One word out of the blue may also mean the contract: nothing more is sent, and a person looks at it."""
    return bare and not message.thread


def _opts_out(folded: str, scores: Scores) -> bool:
    if scores.opt_out >= _FLAG_AT:
        return True
    return scores.opt_out >= _CUED and bool(_OPT_OUT.search(_OPT_OUT_TRAP.sub(" ", folded)))


# In this order: grief before all, and what is said of a child or a lawyer before how it is said.
_SENSITIVE: Mapping[Sensitive, re.Pattern[str]] = {
    Sensitive.BEREAVEMENT: re.compile(
        r"\b(?:died|dead|death|passed (?:away|on)|passing of|funeral|bereave\w*|deceased|widow\w*|my late (?:husband"
        r"|wife|mother|father|mum|"
        r"mom|dad|son)|lost (?:my|our|his|her) (?:\w+ )?(?:husband|wife|mother|father|mum|mom|dad|son|daughter|baby"
        r"|brother|sister|partner|gran\w*)|"
        r"miscarr\w*|stillb\w*|buried|burial|cremat\w*|"
        r"fallec\w+|murio|muerto|muerte|muerta|finado|difunt[oa]|entierro|velorio|velatorio|sepelio|duelo|viud[oa]|"
        r"(?:perdi|perdimos|perdio) (?:a )?(?:mi|un|el|al|la|nuestr[oa]) (?:\w+ )?(?:bebe|hij[oa]|padre|madre|mama"
        r"|papa|esposo|esposa|marido|embarazo|"
        r"herman[oa]|abuel[oa]))\b"
    ),
    Sensitive.MINOR: re.compile(
        r"\b(?:i'?m|i am|im) (?:only )?(?:[89]|1[0-7])(?: (?:years? old|yrs|yo)| and (?:a half )?my m[uo]m)\b"
        r"|\b(?:i'?m|i am) in (?:[1-9]th|"
        r"(?:fourth|fifth|sixth|seventh|eighth) )grade\b|\btengo (?:[89]|1[0-7]) anos\b|\b(?:safeguarding"
        r"|child protection|unsafe with|"
        r"touched (?:my|our) (?:son|daughter|child|kid)|hit (?:my|our) (?:son|daughter|child|kid)|grooming|menor de edad|"
        r"(?:le peg|golpe|toc)\w+ a mi hij[oa])\b"
    ),
    Sensitive.ABUSE: re.compile(
        r"\b(?:restraining order|domestic (?:violence|abuse)|abus(?:ive|ed|er|ing)|stalk\w*|harass\w*|threaten(?:ed"
        r"|ing) me|my ex (?:must|should|"
        r"can)(?:n't| not)|women's (?:shelter|refuge)|shelter|refuge|orden de alejamiento|violencia (?:de genero"
        r"|domestica|intrafamiliar|machista)|"
        r"maltrat\w+|acos\w+|me amenaz\w+|me pega\w*|abus\w+)\b"
    ),
    Sensitive.LEGAL: re.compile(
        r"\b(?:lawyer|attorney|solicitor|legal (?:action|advice|proceedings|team|counsel)|notice of termination|sue"
        r"|suing|lawsuit"
        r"|small claims|(?:in|to) court|trading standards|"
        r"ombuds\w+|attorney general|better business bureau|bbb|consumer (?:protection|affairs|forum|court)"
        r"|gdpr complaint|regulator|"
        r"abogad[oa]s?|demand(?:are|aremos|arlos|arles)|denunci\w+|juicio|tribunal\w*|juzgado|via legal"
        r"|acciones legales|medidas legales|"
        r"carta documento|burofax|profeco|indecopi|sernac|defensa del consumidor|superintendencia"
        r"|oficina del consumidor|omic|hoja de reclamaciones)\b"
    ),
    Sensitive.ILLNESS: re.compile(
        r"\b(?:cancer|chemo\w*|radiotherapy|tumou?r|leuk\w+|stroke|heart attack|hospice|palliative|icu|intensive care"
        r"|dialysis|transplant|"
        r"terminal(?:ly)?|diagnos\w+|dementia|alzheimer\w*|parkinson\w*|biopsy|surgery|operation on|depress(?:ion|ed)"
        r"|breakdown|suicid\w*|rehab|"
        r"hospitali[sz]ed|in (?:the )?hospital|quimio\w*|radioterapia|tumor|ictus|derrame|infarto|uci"
        r"|cuidados (?:intensivos|paliativos)|"
        r"dialisis|trasplante|diagnostic\w+|demencia|leucemia|biopsia|cirugia|me operan|la operan|lo operan|operacion"
        r"|depresion|internad[oa]|"
        r"hospitalizad[oa]|ingresad[oa]|esta (?:muy )?grave)\b"
    ),
    Sensitive.HARDSHIP: re.compile(
        r"\b(?:lost (?:my|his|her|our) (?:job|jobs|work|house|home)|laid off|made redundant|redundanc\w+|unemploy\w+"
        r"|out of work|bankrupt\w*|evict\w*|"
        r"foreclos\w*|food ?bank|benefits (?:stopped|cut)|universal credit|debts?|debt collectors?"
        r"|can'?t (?:even )?(?:feed|pay (?:the|my|our) "
        r"(?:rent|bills|mortgage))|homeless|overdrawn|hours (?:were |got )?cut|furlough\w*|"
        r"(?:perdi|perdio|perdimos) (?:el|mi|su|nuestro) (?:trabajo|empleo|chamba|laburo|casa)|me (?:quede"
        r"|qued[eo]) sin (?:trabajo|empleo|laburo|chamba)|"
        r"sin trabajo|desemple\w+|desahuci\w+|desaloj\w+|despid\w+|me echaron|me corrieron|en (?:el )?paro|\bere\b"
        r"|\berte\b|deudas?|embarg\w+|quiebra|"
        r"no (?:me )?(?:alcanza|llega) (?:ni )?(?:para|a fin)|no tengo (?:ni )?para)\b"
    ),
    Sensitive.ANGER: re.compile(
        r"\b(?:f+u+c*k\w*|f\*+\w*|bullshit|shit\w*|assholes?|bastards?|scum\w*|thieves|crooks|scam(?:mers?)?"
        r"|con artists|robbers|idiots?|morons?|"
        r"disgusting|go to hell|rot in|how dare you|pathetic|"
        r"mierda|put[ao]s?|hij\w+ de (?:put|su)\w+|cabron\w*|pendej\w+|estafador\w*|ladron\w*|chorros|sinverguenzas?"
        r"|imbeciles?|idiotas?|"
        r"joder|carajo|verguenza|asco|inutiles?|ratas|chinga\w*|boludos|pelotudos|malparid\w+|gonorrea)\b"
    ),
}


def _sensitive(folded: str, scores: Scores) -> Sensitive | None:
    """What calls for a person: likely by the model, or by a telling word that the model does not rule out."""
    likely = {Sensitive(name): p for name, p in scores.sensitive.items() if name != "none"}
    doubt = sum(likely.values())
    if doubt >= _SENSITIVE_AT:
        return max(likely, key=lambda each: likely[each])
    if doubt >= _CUED:
        return next((kind for kind, words in _SENSITIVE.items() if words.search(folded)), None)
    return None


# What shows an ending, and what shows each reason: only for pointing at the words, never for deciding.
_SHOWS_INTENT: Mapping[Intent, re.Pattern[str]] = {
    Intent.CANCEL: re.compile(
        r"\b(?:cancel\w*|terminat\w+|clos(?:e|ing) (?:my|our|the) |unsubscrib\w+|discontinu\w+|not (?:be )?(?:renew"
        r"|continu|going ahead|"
        r"proceed|com)\w*|won't|no longer|can't (?:make|come|attend)|unable to|not coming|call (?:it )?off"
        r"|withdraw\w*|pull out|back out|stop\b|"
        r"end (?:my|our|the)|drop (?:my|the|out)|go(?:ing)? with|went with|decided|pass\b|don't (?:want|need|send|come)|"
        r"anul\w+|baja\b|rescin\w+|no (?:voy|vamos|puedo|podre|podremos|renov|seguir|segui|quiero|queremos|contin"
        r"|necesit)\w*|ya no|"
        r"desist\w+|renunci\w+|suspend\w+|dejar\w*|dejo|dejamos|olvid\w+)\b"
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
        r"|preci\w+|presupuest\w+|"
        r"barat\w+|dinero|plata|pag\w+|gast\w+|cobr\w+|tarif\w+|sub(?:io|ida|ieron)|cuest\w+)\b"
    ),
    Reason.SERVICE: re.compile(
        r"\b(?:rude\w*|late\b|never|nobody|no one|wrong|broken|bugs?|crash\w*|slow\w*|poor\w*|terrible|awful|worst"
        r"|disappoint\w+|unhappy|"
        r"unprofessional|complain\w*|mistake\w*|waited|waiting|charged|damag\w+|mal\b|pesim\w+|nadie|nunca|tarde"
        r"|lent\w+|groser\w+|fall\w+|"
        r"roto|rota|error\w*|queja\w*|desastre|harto|harta|decepcion\w+|dañ\w+|espera\w*)\b"
    ),
    Reason.TIMING: re.compile(
        r"\b(?:work\w*|shift|meeting|sick|ill|flu|fever|hospital|surgery|travel\w*|flight|away|snow|storm|car|train"
        r"|babysitter|something came up|"
        r"emergency|schedul\w+|conflict|busy|trabaj\w+|turno|reunion|enferm\w+|fiebre|gripe|viaj\w+|vuelo|tormenta"
        r"|niñer\w+|surgi\w+|imprevisto|"
        r"emergencia|horario|ocupad\w+|tiempo)\b"
    ),
    Reason.NOT_READY: re.compile(
        r"\b(?:not ready|for now|yet|hold\w*|wait\w*|later|next year|maybe|still (?:look|decid|compar)\w+|think\w*"
        r"|pause|postpon\w+|"
        r"por ahora|todavia|aun|esper\w+|mas adelante|proximo año|tal vez|quizas?|pens\w+|pausa|momento|compar\w+)\b"
    ),
    Reason.OTHER: re.compile(
        r"\b(?:no longer|any ?more|need|use|using|mov\w+|sold|chang\w+|mind|another|someone|else|different|ourselves"
        r"|myself|clos\w+|"
        r"ya no|necesit\w+|uso|usa\w*|mud\w+|vend\w+|cambi\w+|otr[oa]s?|nosotr\w+|mism[oa]s?|cerra\w+)\b"
    ),
}
_SENTENCE = re.compile(r"[^\s.!?\n][^.!?\n]*(?:[.!?](?!\s|$)[^.!?\n]*)*[.!?]?")
_GREETING = re.compile(
    r"(?:hi|hello|hey|dear|good (?:morning|afternoon|evening)|hola|buen[oa]s|estimad[oa]s?)\b[^,.!?]{0,40}[,.!]?$"
)
_LONGEST = 200


def _evidence(message: Message, intent: Intent, reason: Reason | None) -> tuple[Span, ...]:
    """The customer's own words that show the intent, and those that show the reason: at most two sentences."""
    if intent is Intent.NONE:
        return ()
    pieces = [Span(text=match[0][:_LONGEST].rstrip(), start=match.start()) for match in _SENTENCE.finditer(message.text)]
    pieces = [piece for piece in pieces if not _GREETING.match(piece.text.translate(_FOLD))]
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
