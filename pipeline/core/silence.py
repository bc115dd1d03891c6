"""Hear who asks not to be written to, and who only seems to."""

from __future__ import annotations

import re

from pipeline.core.folded import fold
from pipeline.core.phrases import phrases
from pipeline.core.records import Message

_AT = 0.65
_CUED = 0.1  # what the model must think at least for a telling word to count

# Wishes not to be written to. What they must not catch: "we must stop this bill", "don't call before nine".
_WISH = phrases(
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
    r"|\bno need to (?:give (?:me|us) (?:a|another) (?:bell|ring|call|buzz|shout)|(?:call|ring|phone|chase|contact"
    r"|follow up with) (?:me|us)\b(?! back)|(?:call|ring|phone|write) again)\b"
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
# Wishes in words that mean nothing else.
_PLAIN_WISH = phrases(
    r"\b(?:please|pls|plz|kindly) (?:just )?unsubscribe(?: me| us)?(?: from (?:this|your|the|these|all)(?: \w+)? (?:list"
    r"|e-?mails?|newsletters?|mailings?))?(?=\W*(?:$|[.,!\n]))"
    r"|\bunsubscribe (?:(?:me|us) )?(?:please|pls|plz)\b|\bunsubscribe (?:me|us)(?=\W*(?:$|[.,!\n]))"
    r"|\b(?:take|remove|drop|get) (?:me|us|my (?:name|e-?mail|address)) (?:off|from) (?:of )?(?:your|the|this|that)"
    r" (?:\w+ )?(?:mailing|e-?mail|mail|marketing|newsletter|promo\w*|text) ?(?:lists?|database)\b"
    r"|\b(?:(?:please|pls|plz|kindly|and) (?:stop|quit)|(?:stop|quit)(?<![a-z] (?:stop|quit)))"
    r" (?:e-?mailing|texting|messaging|contacting|spamming|writing to"
    r"|calling|phoning|ringing) (?:me|us)\b(?! (?:at|on|in|before|after|during|from))"
    r"|\b(?:do not|don't|dont|never) (?:ever )?(?:contact|e-?mail|text|message|write to|call) (?:me|us) (?:again|any ?more"
    r"|any further)\b(?! (?:at|on|in|before|after|until|unless))"
    r"|\bno (?:me|nos) (?:escriban|llamen|contacten|molesten) (?:mas|nunca)\b(?! (?:a|al|antes|hasta)\b)"
    r"|\b(?:(?:por favor|porfa|y) dej(?:en|ad|a|e)|dej(?:en|ad)(?<![a-z] dej(?:en|ad))|dej[ae](?<![a-z] dej[ae]))"
    r" de (?:escribir|llamar|contactar|molestar)(?:me|nos)\b"
    r"|\b(?:denme|dadme|dame|deme|quit[ea]nme|saqu?enme|borr[ea]nme|elimin[ea]nme)(?: de baja)? (?:de|del) (?:(?:la|su|sus|el"
    r"|los|vuestra|vuestros|tu) )*(?:lista de (?:correos?|difusion|envios)|boletin|newsletter|publicidad|promociones"
    r"|mailing)\b"
)
# What sounds like such a wish and is none; it is taken out before they are looked for.
_TRAP = re.compile(
    r"\bstop (?:this |the |that )?(?:bill|payment|leak|noise|charge|delivery|order)\b"
    r"|\b(?:don't|do not|no) (?:please )?(?:take|remove|delete|hesitate to|me saq\w+|me borr\w+|me quit\w+"
    r"|me elimin\w+|nos saq\w+)\b[^.!?\n]{0,40}|\bno deje[ns]? de \w+"
    r"|\b(?:accidentally|by accident|by mistake|sin querer|por error)\b[^.!?\n]{0,40}"
    r"|\b(?:waiting|wait|waiting-) ?list\b|\blista de (?:espera|alumnos|clase|asistencia|precios|boda|regalos)\b"
    r"|\b(?:reply|respond) (?:stop|out|remove|baja)\b[^.!?\n]{0,20}|\bto (?:opt[ -]?out|unsubscribe)\b"
    r"|\bif you(?:'d| would)? (?:rather not|prefer not|no longer)[^.!?\n]{0,60}|\bsi no desea[^.!?\n]{0,60}"
    r"|\bpara (?:darse de baja|dejar de recibir)[^.!?\n]{0,40}"
    r"|\bunsubscribe ?[|·•]|[|·•] ?unsubscribe\b|\b(?:i|we)(?:'ll| will) (?:stop|quit) \w+ing\b"
    # the last line of a newsletter
    r"|\b(?:you(?:'re| are)? (?:get|got|getting|receiv\w+) (?:this|these)|sent to (?:members|subscribers|friends)"
    r"|too many (?:of these )?e-?mails|no longer (?:want|wish)|(?:manage|change|update) (?:your )?preferences)\b"
    r"[^\n]{0,140}\bunsubscribe\b|\bunsubscribe (?:any ?time|at any time|with one click|in one click|from all)\b"
    r"|\bunsubscribe (?:link|button|page|here|at|below)\b|\bunsubscribe ?(?:: |https?)|https?://\S*unsubscribe\S*"
    r"|(?:these|this|e-?mails?)\? ?unsubscribe\b|\b(?:hit|clicked|pressed|tick|how do i) (?:on )?'?(?:unsubscribe"
    r"|do not contact)\b"
)


# The last lines of what is sent to many; no customer writes them.
_FOOTER = phrases(
    r"\byou(?:'re| are)? (?:get|got|getting|receiv\w+) (?:this|these)\b[^\n]{0,60}\b(?:because|as|since)\b"
    r"|\bsent to (?:members|subscribers|friends)\b|\b(?:manage|update|change) (?:your )?preferences\b"
    r"|\bunsubscribe (?:here|below|any ?time|at any time|with one click|from all)\b|\bunsubscribe ?(?:[|·•:]|https?)"
    r"|\b(?:click|use the link)[^\n.]{0,20} to (?:unsubscribe|be removed)\b"
    r"|\bto (?:stop (?:receiving|getting)|unsubscribe|be removed)[^\n.]{0,40}\b(?:click|reply|use|link)\b"
    r"|\b(?:recibes?|recibe usted|reciben) este (?:correo|e-?mail|mensaje|boletin)[^\n]{0,40} (?:porque|por|como)\b"
    r"|\bpara (?:darse de baja|dejar de recibir)\b[^\n]{0,60}(?:clic|pulse|pincha|haz|haga|respond|enlace|aqui)\b"
)


def is_sent_to_many(folded: str) -> bool:
    """Whether a mail ends as newsletters and offers do: "You get this because you are a member. Unsubscribe here"."""
    return _FOOTER.search(folded) is not None


# What the last line of our follow-ups asks for, as a mail of its own.
_BARE = re.compile(
    r"(?:please |por favor )?(?:stop|unsubscribe(?: me)?|remove me|opt ?out|take me off|no more (?:e?mails?|messages)"
    r"|baja|(?:dame|denme|darme|dar) de baja|cancelar (?:la )?suscripcion|no mas (?:correos|mensajes))"
    r"(?: please| por favor| thanks| thank you| gracias)?"
)

_BARE_LONGEST = 80  # characters


def is_bare(message: Message) -> bool:
    """Nothing but the word that our footer asks for, in the text or, when that is empty, in the subject."""
    said = message.text if message.text.strip() else re.sub(r"^(?:\s*(?:re|rv|aw)\s*:)+", "", message.subject, flags=re.I)
    if len(said) > _BARE_LONGEST:
        return False
    return _BARE.fullmatch(" ".join(re.findall(r"\w+", fold(said).lower()))) is not None


def is_asked_for(folded: str, likely: float) -> bool:
    """Whether a mail asks not to be written to: in plain words, by the model, to which that is so `likely`, or by words that
    it does not rule out.

    Never of who says in the same breath how to be reached.
    """
    if _WANTS_TO_HEAR.search(folded):
        return False
    return likely >= _AT or _wishes(_PLAIN_WISH, folded) or (likely >= _CUED and _wishes(_WISH, folded))


def _wishes(wish: re.Pattern[str], folded: str) -> bool:
    return bool(wish.search(folded) and wish.search(_TRAP.sub(" ", folded)))


# Who asks to be called, names the way to be reached, misses our mail, or complains of our silence, does not ask for silence.
_WANTS_TO_HEAR = phrases(
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
    r"|\b(?:best|better|easier|easiest)(?: to)? (?:call|ring|phone|text|e-?mail|write(?: to)?|message|contact|reach) me\b"
    r"|\bmejor (?:por|al) (?:correo|mail|e-?mail|telefono|whats\w*|mensaje|escrito|celular)\b"
    r"|\bprefier[oe] (?:el |un |la |que me |por |recibir )?(?:correo|e-?mail|mail|telefono|llamada|mensaje|whats\w*"
    r"|sms|escriban"
    r"|llamen|manden)|\b(?<!no )(?:llam[ea]n?me|escrib[ae]n?me|avis[ae]n?me|contact[ae]n?me|llamad?me|escribid?me)\b(?! si)"
    r"|\b(?:pueden?|puedes|podeis) (?:llamar|escribir|contactar|avisar)me\b|\bdo not ship\b"
)
