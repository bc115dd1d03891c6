"""Find the sentence in which a writer says in so many words that they call off what is theirs. Reads one sentence at a time.

A model that weighs a whole mail can be led astray by what stands around such a sentence: a threat, a story, a complaint.
"""

from __future__ import annotations

import re

from pipeline.core.languages import heard
from pipeline.core.phrases import phrases

# Texts are compared folded: in lower case, without accents.
_THEIRS = (
    r"(?:(?:all|both|any|each|half|two|three|the rest|the remainder|one|everything) (?:of )?)?"
    r"(?:my|our|the|this|these|that|it\b|everything|both|all\b|tomorrow|today|tonight|monday|tuesday|wednesday|thursday"
    r"|friday|saturday|sunday|order|booking|reservation|appointment|subscription|membership|contract|service|account"
    r"|policy|lessons?|class)"
)
_END = r"(?:cancel|terminate|discontinue|call off|end|withdraw from|give up|close|quit|leave|drop)"
_ENDING = r"(?:cancell?ing|terminating|discontinuing|calling off|ending|withdrawing from|giving up|closing|quitting|dropping)"
# What may stand before such a sentence. Each word eats what follows it, so that there is one way only to read a row of them.
_OPENING = (
    r"(?:[a-z]+, )?\W*(?:(?:so|therefore|hence|thus|and|but|hi|hello|good \w+|dear \w+|sorry|unfortunately|regrettably|sadly"
    r"|also|as such|with (?:immediate effect|regret))\W+)*"
)
_OPENING_ES = (
    r"\W*(?:(?:hola|buenas|buenos dias|estimad[oa]s?|asi que|por eso|y|pero|lamentablemente|yo|nosotros|lo siento)\W+)*"
)
_THEIRS_ES = r"(?:(?:tod[oa]s? )?(?:mi|mis|nuestr[oa]s?)|la|el|las|los|esta|este)\b"

_THING = (
    r"(?:the |that |this |all |both )?(?:(?:\w+'?s?|\d[\d:.]+(?:am|pm)?) ){0,2}(?:appointments?|bookings?|orders?"
    r"|reservations?"
    r"|subscriptions?"
    r"|memberships?|contracts?|plan|services?|lessons?|class(?:es)?|sessions?|accounts?|policy|slots?|visits?|rooms?|table"
    r"|pick-?ups?|rides?|drop-?offs?|shoot|tours?|trips?|outing|survey|groom|grooming|massage|facial|haircut|fittings?"
    r"|retainer|package|engagement|consultation|check-?up|moves?|removal|catering|dj|band|rental|hire"
    r"|party|events?|registration|insurance|cover(?:age)?|places?|spots?|treatments?|delivery|deliveries|box(?:es)?|crates?|cleanings?|course|quote|tiffin|milk|meals?|lunches|papers?|newspapers?|mowing|plou?wing"
    r"|proposal|repair|job|works?)\b"
)

_ORDER = rf"(?:cancel|kill|scrap|scrub|scratch|bin|axe|ditch|nix) (?:my|our|the|that|all|\w+'s) {_THING}"
_ORDER_ES = (
    r"(?:cancel(?:en|enme|eme|ad|adme)|anul(?:en|enme|eme|ad|adme)|terminen|terminad|cierren|cerrad|suspendan|suspended)"
    rf" (?:{_THEIRS_ES}|lo de)\b"
)

_BEGINS_STATING = re.compile(
    # "I hereby cancel my contract", "we're cancelling the booking"
    rf"^{_OPENING}(?:i|we|my (?:wife|husband) and i)(?:'m| am|'re| are)? ?(?:hereby |now |herewith |therefore |just "
    rf"|sorry but"
    rf" |afraid |both )*(?:cancel|terminate|revoke|rescind|{_ENDING}) {_THEIRS}"
    # "this is to end our service"
    rf"|^{_OPENING}this (?:message |letter |note )?is (?:just |formally )?to {_END} {_THEIRS}"
    # "my wife wants to cancel her membership"
    rf"|^{_OPENING}my (?:wife|husband|partner|mother|father|mum|mom|dad|son|daughter) (?:wants|needs|wishes|would like"
    rf"|has decided|has) to {_END} (?:his|her|their|its) {_THING}"
    # "cancelo mi cita", "les comunico que anulamos la reserva"
    rf"|^{_OPENING_ES}(?:(?:por (?:la|el) presente )?(?:(?:les?|te|os) )?(?:comunic|inform|avis|notific)(?:o|amos)"
    rf" (?:de )?que )?(?:cancelo|anulo|cancelamos|anulamos|rescindo|rescindimos) (?:por la presente )?{_THEIRS_ES}"
    # "kill the 9:40 pickup", "scrap Bruno's groom tomorrow", "cancelen la cita"
    rf"|^\W*(?:{_ORDER}|{_ORDER_ES})"
)
_STATES = phrases(
    # "I have to cancel my appointment", "we have decided to end the contract"
    r"(?:i|we)(?:'d| would)? ?(?:just |really |unfortunately |sadly |now |regretfully |hereby |have |'ve |do )*"
    r"(?:need|want|wish|like|have|had|decided|chosen|going|must|got|am writing|are writing|write)(?: going)?(?: today)?"
    r" ?(?:to )?(?:please |unfortunately |formally )?(?:request (?:the )?cancellation of|request (?:a |to )?cancel"
    rf"|inform you that (?:i am|we are|i'm|we're) {_ENDING}|{_END}) {_THEIRS}"
    # "please cancel my order"
    r"|(?:please|kindly|pls|plz)(?: can you| could you| would you)? ?(?:just |go ahead and |also |therefore |now )*"
    r"(?:cancel|terminate|discontinue|take (?:this|it) as (?:my|our) (?:notice|cancellation)"
    r"|accept (?:this|my) (?:as )?(?:cancellation|notice)|process (?:my|the|our) cancellation|close (?:my|our) account)"
    rf" ?(?:{_THEIRS})?"
    # "so stop our boxes", "take me off the books", "let my slot go", "Friday will be my last lesson"
    r"|(?:please|kindly|pls|so)(?: can you| could you)? (?:just |go ahead and |also )*(?:end|stop|close out|close|drop"
    rf"|withdraw|scratch|strike|release|wind up|let go of) (?:my|our|the|this|that|all) {_THING}"
    r"|(?:take|strike|scratch|cross|remove|pull) (?:me|us|him|her|them|\w+) off (?:the|your) (?:\w+ )?(?:books?"
    r"|schedule|calendar|roster|register|diary|rota|round|route|run|list for (?:this|next|the)|class list)\b"
    # "take me off Friday please"
    r"|take (?:me|us|him|her) off (?:for )?(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|tomorrow|tonight"
    r"|the \d+(?:st|nd|rd|th))\b"
    rf"|(?:give|let|offer|hand|pass|release) (?:my|our|the|that|his|her) {_THING} (?:to|away|go|back)\b"
    r"|(?:i|we)(?:'ll| will| am| are|'m|'re)?(?: have to| must| going to)? (?:pass on|decline|turn down|declining"
    r"|turning down|passing on) (?:the|your|this|that)\b"
    rf"|(?:this|it|that|\w+day|the \w+) (?:will|is going to|has to|must|is to) be (?:my|our|the) last {_THING}"
    # "please kill the 9:40 pickup", "asi que cancelen la cita"
    rf"|(?:please|pls|so|to|and)\W+{_ORDER}|(?:asi que|por favor|favor de|pues|entonces|que|y)\W+{_ORDER_ES}"
    # "Thursday is off", "the party's off, I'm afraid"
    r"|(?:\w+day|tomorrow|tonight|it|(?:the|our|my) (?:\w+ )?\w+)(?: is|'s) off(?: then| now| again)?(?:,? (?:i'm"
    r"|we're) afraid|,? sorry|[.!,]|$)"
    # "Alfie will have to stop his lessons", "Mum has decided to give up her class"
    r"|(?:'ll|will|has|have|had|is going|decided|needs?) (?:have )?to (?:stop|end|drop|give up|leave|quit"
    r"|finish) (?:his|her|their|my|our|the)"
    rf" {_THING}"
    # "there goes my massage"
    rf"|there goes (?:my|our|the|his|her) {_THING}"
    # "me doy de baja", "quiero anular", "por favor cancelen"
    r"|(?:me doy|nos damos|doy) de baja\b"
    r"|(?:quiero|quisiera|queremos|quisieramos|necesito|necesitamos|deseo|deseamos|debo|tengo que|tenemos que|voy a|vamos a"
    r"|he decidido|hemos decidido|decidi|decidimos|me gustaria|nos gustaria|queria|solicito|solicitamos"
    r"|me veo obligad[oa] a|prefiero|preferimos|procedo a|le pido|les pido) (?:por favor )?(?:cancelar|anular|rescindir"
    r"|dar de baja|darme de baja|darnos de baja|la (?:baja|cancelacion|anulacion)"
    r"|que (?:me |nos )?(?:cancel\w+|anul\w+|den de baja|de de baja))\b"
    r"|por favor,? (?:me |nos )?(?:pueden? |puedes |podrian? )?(?:cancel(?:en|e|a|ar|ad)|anul(?:en|e|a|ar|ad)"
    r"|den(?:me)? de baja|dar(?:me)? de baja)(?:me|nos|la|lo|las|los)?\b"
    # "solicito la resolucion del contrato", "dejen libre mi hora"
    r"|(?:solicit(?:o|amos)|pid(?:o|imos)|exij(?:o|imos)|requiero) (?:formalmente )?(?:la (?:resolucion|terminacion"
    r"|rescision|finalizacion|anulacion|cancelacion|baja)|que (?:se |mi |nuestro |el |la )?(?:\w+ )?(?:quede resuelt|resuelv"
    r"|rescind|termine|finalice|de por terminad|quede cancelad|quede anulad))"
    r"|(?:dejen?|deja|dejad|liberen?|libera|liberad) (?:libre )?(?:mi|nuestr[oa]|mis) (?:hora|cita|turno|plaza"
    r"|lugar|reserva|hueco|cupo)\b"
    # "dadme de baja el plan", "les tengo que anular lo del jueves", "dejo el servicio"
    r"|(?:dadme|denme|dame|deme|dadnos|dennos|danos|denos|den|dad) (?:me |nos )?de baja\b"
    r"|(?:tengo|tenemos|toca|va|voy) (?:que|a) (?:cancelar|anular)(?:les?|te|os|la|lo|las|los)?\b"
    r"|(?:dejo|dejamos) (?:el|la|mi|mis|nuestr[oa]) (?:servicio|suscripcion|plan|gimnasio|curso|clases?|cuota|membresia"
    r"|contrato|abono)\b"
)

# "Cancel my weekly service and don't you dare charge my card": only a condition or a question turns an order round.
_BEGINS_COMMANDING = re.compile(
    rf"^\W*(?:please |pls |so |then |just |now |and )*(?:cancel|terminate|scrap|withdraw) (?:my|our|the|both) {_THING}"
    rf"|^{_OPENING}(?:i|we) (?:hereby |herewith |now |must )*withdraw (?:my|our|the|this) {_THING}"
)
_COMMANDS = phrases(
    # "kindly treat the slot on the 3rd as vacated", "consider our contract ended"
    r"\b(?:please|kindly|pls)(?: do)? (?:treat|consider|regard|count|mark|take) (?:my|our|the|this|that|me|us)"
    r" (?:[\w:/.-]+ ){0,7}(?:as )?(?:cancell?ed|vacated|withdrawn|terminated|closed|void|ended|free|dropped)\b"
    # "pls stop my lunch box with immediate effect"
    r"|\b(?:please|pls|kindly) (?:stop|end) (?:my|our) (?:[a-z]+ ){1,3}(?:with immediate effect|effective (?:today|immediately)"
    r"|immediately)\b"
    # "consider the contract terminated", "queda anulado el pedido"
    r"|\b(?:treat|consider|regard) (?:my|our|the|this) (?:\w+ ){1,4}(?:as )?(?:cancell?ed|terminated|withdrawn|void|ended)\b"
    r"|\bquedan? (?:por tanto |pues |desde (?:hoy|ya|ahora) )?(?:anulad|rescindid|resuelt)[oa]s? (?:mis?|nuestr[oa]s?"
    r"|el contrato"
    r"|el pedido|el encargo|la reserva|la cita)\b"
    r"|\b(?:el|mi|nuestr[oa]) (?:pedido|contrato|reserva|cita|encargo|suscripcion) quedan? (?:anulad|cancelad"
    r"|rescindid|resuelt)[oa]s?\b"
    # "hemos decidido dejarlo", "tomamos la decision de terminar", "den por terminado el contrato"
    r"|\b(?:(?:hemos|he) (?:decidido|tomado la decision de)|(?:tomamos|tome) la decision de|damos por)"
    r" (?:dejar|prescindir|cancelar|anular|terminar|finalizar|rescindir|terminad|finalizad|concluid)"
    # "para que me den de baja la cuota"; of a list of addresses it is another wish
    r"|\b(?:para|pido|pedimos|solicito|solicitamos|quiero|queremos|necesito|ruego|agradeceria) que (?:me|nos) (?:den|des|de)"
    r" de baja\b(?! del? (?:[a-z]+ ){0,3}(?:listas?|correos?|e?mails?|boletin\w*|newsletters?|publicidad|mailing|envios"
    r"|promociones|notificaciones|mensajes|base|whats\w*))"
    # "den mi cita a otra persona", "la cita del 3 desela a otro"
    r"|\b(?:den(?:le|selo|sela)?|dele|dale|denle|dad|dadle|cedan|ceda|cede) (?:mi|nuestr[oa]) (?:cita|hora|turno|lugar|plaza"
    r"|cupo|espacio|reserva|mesa|clase) a (?:otr|algui|quien|la sig|el sig|la lista)\w*"
    r"|\b(?:cita|hora|turno|lugar|plaza|cupo|reserva|mesa|habitacion)\b[^.!?\n]{0,30} (?:desel[ao]|densel[ao]|dasel[ao]"
    r"|dadsel[ao]|l[ao] (?:pueden?|puedes|podeis) dar) a (?:otr|algui|quien)\w*"
    r"|\b(?:den?|da|dad|demos|considere[ns]?|considera|considerad|tengan?|ten|tened) (?:ya )?(?:por |como )?"
    r"(?:cancelad|anulad|terminad|finalizad|concluid|rescindid|resuelt)[oa]s?"
    r" (?:mis?|nuestr[oa]s?|el|la|los|las|est[ea]|lo)\b"
)

# Here the denial is the statement: "we won't be renewing", "hemos decidido no seguir".
_DECLINES = phrases(
    rf"\b(?:i|we) (?:won't|wont|will not|shan't|shall not) be (?:(?:needing|requiring|taking up) (?:my|our|your"
    rf"|that) {_THING}"
    r"|renewing|going ahead|continuing|proceeding|rebooking|coming back|going forward with)\b"
    rf"|\b(?:i|we|he|she|they)(?:'ll not| won't| will not| shan't| shall not) be (?:in|back|there|coming|along"
    rf"|with you) (?:(?:today|tonight|tomorrow|\w+day),? or )?(?:again|any ?more"
    r"|after that|any longer)\b"
    rf"|\b(?:i|we)(?: won't| shan't| shall not| will not|'ll not| no longer) (?:need|require) (?:the|your|that|next \w+day's"
    rf"|tomorrow's) {_THING}"
    r"|\bthere will (?:of course |sadly |now )?be no (?:\w+ ){0,2}(?:party|wedding|celebration|reception|trip|event"
    r"|dinner|lunch)\b|\b(?:ya )?no (?:cuenten?|cuentes) (?:conmigo|con nosotr[oa]s)\b"
    r"|\bya no (?:vamos a|voy a|vamos|voy|va a) (?:necesitar|seguir|continuar|requerir|ir|poder ir|asistir|renovar|llevar)\b"
    r"|\bya no (?:habra|hay|va a haber) (?:comida|boda|fiesta|viaje|evento|cena|celebracion)\b"
    r"|\b(?:(?:hemos|he) decidido no|no (?:vamos|voy) a) (?:aceptar\w*|seguir|continuar|renovar\w*|contratar\w*"
    r"|hacer(?:lo|la)|necesitar)\b"
    # "we don't wish to renew", "I've decided not to go ahead", "we're not continuing"
    r"|\b(?:i|we) (?:don't|dont|do not|no longer) (?:really )?(?:want|wish|intend|plan) to (?:continue|carry on|renew|proceed"
    r"|go ahead|go on|keep going|stay)\b"
    r"|\b(?:i|we)(?:'ve| have)? (?:decided|chosen|opted) not to (?:continue|renew|proceed|go ahead|go forward|move forward"
    r"|go on|carry on|take (?:it|you) up|book|come back|return)\b"
    r"|\b(?:i'm|we're|i am|we are) not (?:going to (?:continue|renew|proceed|go ahead)|continuing|renewing|proceeding"
    r"|going ahead|going forward|moving forward)\b"
    # "no queremos seguir con el servicio", "no renovaremos"
    r"|\b(?:ya )?no (?:quiero|queremos|deseo|deseamos|quisiera|quisieramos|pienso|pensamos) (?:seguir|continuar|renovar\w*"
    r"|que (?:sigan|vengan|vuelvan))\b"
    r"|\bno (?:seguiremos|continuaremos|renovaremos|renovare|seguire|continuare|renovamos|renuevo|seguimos adelante)\b"
    r"|\bno (?:vuelvo|volvemos|volvere|volveremos) (?:a (?:ir|pisar|poner (?:un|el|los) pies?)|mas|nunca)\b"
)
# A request in the form of a question: "can you please cancel my booking?"
_REQUESTS = re.compile(
    rf"^\W*(?:hi|hello|hey|dear \w+|hola)?\W*(?:so )?(?:can|could|would|will) (?:you|u|ya) (?:please |pls |plz |just "
    rf"|kindly )*(?:cancel"
    rf"|call off|take me off) (?:{_THEIRS}|tmrw|2morrow)"
    r"|^\W*(?:hola|buenas|buenos dias)?\W*(?:me |nos )?(?:pueden?|puedes|podeis|podrian?) (?:por favor )?(?:cancelar"
    r"|anular)(?:me|nos)?"
    rf" {_THEIRS_ES}"
)
_CONDITION = phrases(
    r"(?:if|unless|before (?:i|we)|when (?:i|we)|whether|how|why|what|would have|could|might|may|maybe|perhaps|thinking"
    r"|considering|si|cuando|como|por que|que pasa|quizas?|tal vez|talvez|pensando|pienso)\b"
)

# What turns such a sentence round: a condition, a question, a denial, the past, another's words, a thing that is no bargain of
# theirs, and in Spanish money that is "cancelled" by paying it.
_TURNED = phrases(
    r"(?:if|unless|before (?:i|we)|when (?:i|we)|whether|how|why|what|don't|dont|do not|didn't|did not|doesn't|never|not"
    r"|nor|almost|nearly|was going|were going|used to|thinking|think|might|may|maybe|perhaps|considering|instead of"
    r"|rather than|tried|trying|try|unable|cannot|can't|couldn't|without|last (?:month|week|year|time)|ago|yesterday|already"
    r"|previously|once|earlier|said|told|says|asked|asking|wanted|who|would have|could|he|she|they"
    r"|messaged|texted|the following|your (?:\w+ ){0,2}(?:order|booking|appointment|reservation|card|instructor|driver"
    r"|office)"
    r"|my (?:friend|sister|boss|neighbou?r)|alarm|timer|reminder|song|print|reissue|download|button|link|option|page"
    r"|app|website"
    r"|thank(?:s| you) for (?:telling|letting)|newsletter|e-?mails?|marketing|promotional|alerts?|invoice|charges?"
    r"|debt|amount"
    r"|balance|permission|due to a"
    r"|si|cuando|como|por que|que pasa|no (?:quiero|queremos|voy|vamos|hace falta)|nunca|jamas|casi|iba|ibamos|pensaba"
    r"|pensando|pienso|quizas?|tal vez|talvez"
    r"|en vez de|en lugar de|ya cancel\w+|ya anul\w+|ayer|hace|pasad[oa]|dijo|dice|dijeron|pidio|saldo|facturas?|deudas?"
    r"|pagos?|cuotas?|recibo|mensualidad|adeudo|monto|importe|transferencia|efectivo|tarjeta|prima|quincena"
    r"|alquiler(?! del? (?:salon|sala|local|coche|carro|auto|equipo|material|casa|finca|espacio|vestido|carpa|mesas|sillas))"
    r"|partes|contra entrega|contra reembolso|al recibir"
    r"|lo que (?:(?:me|le|les|te) )?(?:falta|debo)|alarma|temporizador|boton|enlace|opcion|pagina|boletin|correos?"
    r"|promociones|ticket)\b"
)
_QUOTED = re.compile(r"^\s*>|[\"“”«»]|(?:^|\s)'\w|cancel[óÓ]|anul[óÓ]|rescindi[óÓ]", re.IGNORECASE)
_TAKEN_BACK = phrases(
    r"\b(?:never ?mind|no wait|wait,|ignore|disregard|scratch that|forget (?:it|my|what|the)|changed my mind"
    r"|still (?:coming|on)|false alarm|un-?cancel|reinstate|olvid\w+|ignor\w+|falsa alarma|siempre si|me retracto"
    r"|dejen (?:todo )?como|actually,? no|on second thoughts?|bueno,? no|mejor no|al final (?:si )?(?:puedo|podre|voy"
    r"|vamos|podemos))\b"
)
_SENTENCE = re.compile(r"[^.!?\n;]+[.!?\n;]?")


def calls_off(text: str, folded: str) -> bool:
    """Whether a mail says plainly that its writer calls something off. `folded` is the text in lower case without accents.

    It is as long as `text`, character for character.
    """
    if _TAKEN_BACK.search(folded) or takes_back(folded):
        return False
    return any(
        _states(match[0].strip())
        and not _QUOTED.search(text[match.start() : match.end()])
        and not _in_quotes(text[: match.start()])
        for match in _SENTENCE.finditer(folded)
    )


def takes_back(folded: str) -> bool:
    """Whether a mail undoes a cancellation of its writer's: "please cancel my cancellation"."""
    return _UNDOES.search(folded) is not None


def warns(folded: str) -> bool:
    """Whether a mail says that its writer will leave if something happens: "if it goes up once more I'll be leaving"."""
    return _WARNS.search(folded) is not None


_WARNS = phrases(
    r"(?:if|unless|once more|one more|next time)\b[^.!?\n]{0,90}\b(?:i|we)(?:'ll| will| shall|'m| am| are|'re)?\b (?:\w+ ){0,3}"
    r"(?:leav(?:e|ing)|gone|be off|stop(?:ping)?|cancel(?:l?ing)?|done|elsewhere|switch(?:ing)?|finished|rip)\b"
    r"|(?:si|como) (?:me |nos |lo |la |les? )?(?:vuelv|sub|pas|sig|otra vez|no )\w*[^.!?\n]{0,70}\b(?:me voy|nos vamos|cancelo"
    r"|cancelamos|lo dejo|lo dejamos|me cambio|nos cambiamos|(?:me doy|nos damos) de baja)\b"
)
_UNDOES = phrases(
    r"\b(?:cancel|withdraw|revoke|undo|reverse|stop|ignore|disregard|retract) (?:my|our|the|that|this) (?:\w+"
    r" )?cancell?ation\b"
    r"|\b(?:anul|cancel|retir|revoc|revert|ignor)\w* (?:la|mi|esa|esta|nuestra) (?:solicitud de )?(?:cancelacion"
    r"|anulacion|baja)\b"
)


def _in_quotes(before: str) -> bool:
    """Whether somebody else is being quoted since some sentences."""
    return before.count('"') % 2 == 1 or before.count("“") > before.count("”") or before.count("«") > before.count("»")


_WORD = re.compile(r"\w+")


def _denies_in_spanish(sentence: str) -> bool:
    """In English "I have no time" denies nothing that is said of an ending."""
    words = _WORD.findall(sentence)
    return "no" in words and heard(sentence, words).is_spanish


def _states(sentence: str) -> bool:
    stated = _BEGINS_STATING.match(sentence) or _STATES.search(sentence)
    if stated and not _is_turned(sentence) and not _denies_in_spanish(sentence):
        return True
    asked = _REQUESTS.match(sentence)
    if asked:
        return not _TURNED.search(sentence, asked.end())
    commands = _DECLINES.search(sentence) or _BEGINS_COMMANDING.match(sentence) or _COMMANDS.search(sentence)
    return bool(commands) and "?" not in sentence and not _CONDITION.search(sentence)


def _is_turned(sentence: str) -> bool:
    return "?" in sentence or _TURNED.search(sentence) is not None
