"""Hear what calls for a person: grief, illness, hardship, abuse, children, lawyers, anger (playbook B7)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pipeline.core.phrases import phrases
from pipeline.core.records import Sensitive

_AT = 0.4  # fails closed: a person looks at it rather than a program answering it
_CUED = 0.06  # what the model must think at least for a telling word to count

# In this order: grief before all, and what is said of a child or a lawyer before how it is said.
_TELLING: Mapping[Sensitive, re.Pattern[str]] = {
    Sensitive.BEREAVEMENT: phrases(
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
    Sensitive.MINOR: phrases(
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
    Sensitive.ABUSE: phrases(
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
    Sensitive.LEGAL: phrases(
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
    Sensitive.ILLNESS: phrases(
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
    Sensitive.HARDSHIP: phrases(
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
    Sensitive.ANGER: phrases(
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
    Sensitive.BEREAVEMENT: phrases(
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
    Sensitive.ABUSE: phrases(
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
    Sensitive.LEGAL: phrases(
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
    Sensitive.ILLNESS: phrases(
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
    Sensitive.HARDSHIP: phrases(
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
_BEGINS = frozenset(
    "died pass dyin deat fune buri bury wake memo mour grie bere shiv lost losi misc stil asle fall luto muer muri"
    " fue mori tana sepe exeq enti ente velo vela perd rest prot mole orde dome wome hit hits beat punc chok hurt thre"
    " let stal viol acog pega pego amen golp malt pers atto lawy soli lega smal sue cour lett ceas denu dema quej acci"
    " judi abog chem radi leuk lymp meta hosp pall life inte dial alzh park hear stro suic coma vent quim leuc linf"
    " infa ictu tera cuid uci uti depr laid redu evic food home bank qued desp desa banc cancer".split()
)


# What sounds like trouble and is none; it is taken out before telling words are looked for.
_HARMLESS = phrases(
    r"(?:nobody|no one|no-one) (?:has |had |'s )?died\b|(?:lasting |enduring |durable )?powers? of attorney\b"
    r"|nadie (?:se )?(?:ha muerto|murio)\b"
)


def grave(folded: str, words: Sequence[str]) -> Sensitive | None:
    """The trouble that is told of in words that mean nothing else."""
    if _BEGINS.isdisjoint(words) and _BEGINS.isdisjoint(word[:_BEGINNING] for word in words):
        return None
    return next((kind for kind, told in _GRAVE.items() if told.search(folded)), None)


def sensitive(folded: str, scores: Mapping[str, float], grave: Sensitive | None) -> Sensitive | None:
    """What calls for a person: likely by the model, told in unmistakable words, or by a word that the model does not rule
    out.
    """
    likely = {name: p for name, p in scores.items() if name != "none"}
    doubt = sum(likely.values())
    if doubt >= _AT:
        return Sensitive(max(likely, key=lambda each: likely[each]))
    if grave:
        return grave
    if doubt >= _CUED:
        told = _HARMLESS.sub(" ", folded)
        return next((kind for kind, words in _TELLING.items() if words.search(told)), None)
    return None


def delicate(folded: str) -> str | None:
    """The first word that may tell of grief, illness or other trouble. What it stands for is for a person to see."""
    told = _HARMLESS.sub(" ", folded)
    found = (words.search(told) for kind, words in _TELLING.items() if kind is not Sensitive.ANGER)
    return next((match[0].strip() for match in found if match), None)
