"""Read a finished text as a careful colleague would: what in it may not be said to a customer, and by which rule. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.core.records import Business, Kind


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """What is wrong with a text: `says` what and by which rule of the playbook, `words` the piece that shows it, or "".

    `binding`: nobody may send it so, for it is a mistake or against the law. The others a rep may overrule, who knows more.
    """

    says: str
    words: str = ""
    binding: bool = False

    def __str__(self) -> str:
        return f'{self.says}: "{self.words}"' if self.words else self.says


@dataclass(frozen=True, kw_only=True, slots=True)
class _Rule:
    """Words that may not stand in a text of these kinds, in either language; a text is searched without its accents."""

    says: str
    words: re.Pattern[str]
    only: frozenset[str] = frozenset()  # of acknowledgment, follow_up and sensitive; empty: in all
    binding: bool = False


def _words(*pieces: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(pieces)})", re.IGNORECASE)


_ACKNOWLEDGMENT = frozenset({Kind.ACKNOWLEDGMENT.value})
_SENSITIVE = frozenset({"sensitive"})

# One row a rule, to be read aloud. First English, then Spanish (usted and tú), without accents.
_RULES = (
    _Rule(
        says="something in it was not filled in",
        words=re.compile(
            r"\{\{|\}\}|\{%|%\}|\bNone\b(?! of)|\b(?:undefined|TODO|XXX+)\b|[Ll]orem ipsum"
            r"|\[(?i:(?:your |the |su |tu )?(?:name|nombre|date|fecha|customer|cliente|company|empresa))\b"
        ),
        binding=True,
    ),
    _Rule(
        says="it claims what nobody has confirmed yet (B2)",
        words=_words(
            r"(?:is|has been|have been|was|are|now|i have|i've|we have|we've) (?:now |already |just )?"
            r"(?:cancell?ed|refunded)\b",
            r"(?:you )?(?:will not|won't) be charged\b",
            r"(?:esta|queda|ha sido|ha quedado|hemos|he|se ha|fue) (?:ya )?(?:cancelad|anulad|dad[oa] de baja|reembolsad)",
            r"no se (?:le|te) cobrara\b",
        ),
    ),
    _Rule(
        says="an acknowledgment offers nothing (B1)",
        only=_ACKNOWLEDGMENT,
        words=_words(
            r"discounts?\b",
            r"coupons?\b",
            r"vouchers?\b",
            r"promo(?:tion|tional|s|cion|ciones|cional)?\b",
            r"(?:\d+ ?)?% off\b",
            r"\d+ ?%",
            r"(?:special|exclusive|an?|our best) offers?\b",
            r"free (?:month|week|session|class|trial)s?\b",
            r"half price\b",
            r"save (?:up to |\d)",
            r"limited time\b",
            r"upgrade\b",
            r"descuentos?\b",
            r"cupon(?:es)?\b",
            r"ofertas?\b",
            r"gratis\b",
            r"rebajas?\b",
            r"mitad de precio\b",
            r"precio especial\b",
            r"tiempo limitado\b",
            r"ahorr(?:a|e|ar|as)\b",
        ),
    ),
    _Rule(
        says="it makes the customer feel guilty (S0.1)",
        words=_words(
            r"after (?:all|everything) (?:that )?(?:we|i)(?:'ve| have)? (?:did|done|invested)",
            r"(?:we|i) ?(?:'m|'re| am| are| were| was| feel)? (?:very |so |really |quite |deeply )?"
            r"(?:disappointed|hurt|upset|offended|let down)\b",
            r"you (?:have |'ve )?(?:let us down|disappointed us|abandoned us|promised|wasted)",
            r"(?:cost|costs|costing) us\b",
            r"(?:we|i) (?:lost|had to turn away|turned away)\b",
            r"(?:were )?count(?:ed|ing) on you\b",
            r"how could you\b",
            r"(?:a|what a) shame\b",
            r"despues de todo lo que\b",
            r"nos? (?:ha |has |han )?(?:decepcion|entristec|duele|apena|defraud)",
            r"(?:nos|me) (?:ha|has) fallado\b",
            r"nos (?:fallo|fallaste)\b",
            r"nos (?:dejo|dejaste) (?:plantad|tirad|colgad)",
            r"nos (?:ha |has )?(?:costo|costado|hizo perder|hecho perder|hiciste perder)",
            r"contabamos con(?: usted|tigo)\b",
            r"que (?:pena|lastima|decepcion|verguenza)\b",
            r"(?:usted )?(?:nos )?(?:prometio|prometiste)\b",
        ),
    ),
    _Rule(
        says="it blames the customer (S0.1)",
        words=_words(
            r"your (?:own )?fault\b",
            r"you (?:really )?(?:should|ought to) have\b",
            r"you could (?:at least |really )?have (?:told|called|written|said|let)\b",
            r"you (?:didn't|did not|never) (?:even )?(?:bother|show|come|tell|told|call|called|respond|answer|answered"
            r"|reply|replied|pay|paid|cancel)",
            r"you (?:failed|forgot|neglected|refused|misunderstood)\b",
            r"because of you\b",
            r"(?:su|tu) culpa\b",
            r"deberias? haber\b",
            r"no (?:se|te) (?:presento|presentaste|molesto|molestaste)\b",
            r"no nos (?:aviso|avisaste|respondio|respondiste|pago|pagaste)\b",
            r"(?:usted|tu) no (?:vino|viniste|llamo|llamaste)\b",
        ),
    ),
    _Rule(
        says="it argues (S0.1)",
        words=_words(
            r"that(?:'s| is) (?:simply )?(?:not true|untrue|wrong|incorrect|unfair|nonsense)\b",
            r"you(?:'re| are) (?:wrong|mistaken|being unfair|exaggerating)\b",
            r"(?:i|we) (?:must )?disagree\b",
            r"not our fault\b",
            r"calm down\b",
            r"as (?:i|we) (?:already )?(?:said|told you|explained)\b",
            r"as you (?:well )?know\b",
            r"with all due respect\b",
            r"you (?:agreed|signed|accepted)\b",
            r"(?:legal action|our lawyers?|collection agency)\b",
            r"no es (?:cierto|verdad|correcto|justo)\b",
            r"(?:se equivoca|te equivocas)\b",
            r"no estoy de acuerdo\b",
            r"no es (?:culpa nuestra|nuestra culpa)\b",
            r"(?:calmese|calmate)\b",
            r"como (?:ya )?(?:le|te) (?:dije|dijimos|explique|explicamos)\b",
            r"como bien sabes?\b",
            r"con todo (?:el )?respeto\b",
            r"(?:acciones legales|nuestros? abogad)",
        ),
    ),
    _Rule(
        says="it presses the customer (B5, S4.6)",
        words=_words(
            r"act now\b",
            r"last chance\b",
            r"final (?:offer|notice|reminder|warning|chance)\b",
            r"don't miss\b",
            r"(?<!no )(?<!any )hurry\b",
            r"urgent(?:ly|e|emente)?\b",
            r"before it(?:'s| is) too late\b",
            r"you (?:must|have to|need to) (?:reply|answer|pay|act|decide|confirm|call|book|come)\b",
            r"(?:spots?|places|slots?) (?:are )?(?:filling|running out|going fast)\b",
            r"(?:only|just) (?:today|until tomorrow|a few (?:places|spots|slots))\b",
            r"are you (?:really |quite )?sure\b",
            r"reconsider",
            r"please (?:stay|don't (?:go|leave|cancel))\b",
            r"(?:we|i) (?:beg|urge|insist)\b",
            r"ultima oportunidad\b",
            r"no (?:lo |la |se la |te la )?(?:pierda|pierdas|deje pasar|dejes pasar)\b",
            r"(?:dese|date) prisa\b",
            r"antes de que sea (?:demasiado )?tarde\b",
            r"solo (?:por )?hoy\b",
            r"(?:quedan pocas|ultimas) plazas\b",
            r"(?:esta|estas) segur[oa]\b",
            r"(?:no se vaya|no te vayas)\b",
            r"(?:debe|debes|tiene que|tienes que) (?:responder|pagar|decidir|confirmar|contestar|llamar)",
            r"(?:insisto|insistimos)\b",
        ),
    ),
    _Rule(
        says="it speaks harshly (S0.1)",
        words=_words(
            r"angry\b",
            r"annoy(?:ed|ing)\b",
            r"furious\b",
            r"frustrat",
            r"hate\b",
            r"awful\b",
            r"ridiculous\b",
            r"unacceptable\b",
            r"disgust",
            r"rude(?:ness)?\b",
            r"stupid\b",
            r"unfortunately\b",
            r"regrettably\b",
            r"enfadad[oa]s?\b",
            r"indignad[oa]s?\b",
            r"furios[oa]s?\b",
            r"frustra",
            r"ridicul[oa]\b",
            r"inaceptable\b",
            r"groser[oia]",
            r"lamentablemente\b",
            r"desgraciadamente\b",
            r"por desgracia\b",
        ),
    ),
    _Rule(says="it shouts (S0.1)", words=re.compile(r"!!+|\b[A-Z]{4,}(?:\W+[A-Z]{4,})+\b")),
    _Rule(
        says="to people in trouble there is no word of money (B7)",
        only=_SENSITIVE,
        words=_words(
            r"fees?\b",
            r"charge[sd]?\b",
            r"invoices?\b",
            r"deposits?\b",
            r"refund",
            r"pay(?:ment|ments|ing)?\b",
            r"owe[ds]?\b",
            r"prices?\b",
            r"(?:cancellation|our) policy\b",
            r"tarifas?\b",
            r"(?<!hago )(?<!a )cargos?\b",
            r"penalizaci",
            r"reembols",
            r"depositos?\b",
            r"facturas?\b",
            r"pag(?:o|os|ar|ue)\b",
            r"importe\b",
            r"cobr(?:o|os|ar|amos)\b",
            r"precios?\b",
            r"nuestra politica\b",
            r"\d[\d.,]* ?(?:usd|eur|mxn|gbp|dollars?|euros?|pesos?)\b",
        ),
    ),
    _Rule(
        says="to people in trouble there is no sum of money (B7)", only=_SENSITIVE, words=re.compile(r"[€$£]\s?\d|\d\s?[€$£]")
    ),
)

# How a follow-up says that it can be ended. Wording is free as long as one of these stands in it.
_OPT_OUT_LINE = re.compile(
    r"[\"«“'](?:stop|baja)[\"»”']|\bunsubscribe\b|\bopt out\b|\bno recibir mas\b|\bdarse de baja\b|\bdarte de baja\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"(?:^[^>\n][^\n]*:\n)?(?:^ *>[^\n]*(?:\n|\Z))+", re.MULTILINE)
_QUESTION = re.compile(r"\?(?![\w=&%])")  # not the one in a web address
_PLAIN = str.maketrans("áéíóúüñÁÉÍÓÚÜÑ’‘", "aeiouunAEIOUUN''")


def faults(subject: str, body: str, kind: Kind, *, sensitive: bool, business: Business) -> tuple[Fault, ...]:
    """Everything that is wrong with a text as the customer would read it, in the order of the rules; empty when nothing is.

    What the customer wrote (lines that begin with `>`, and the line that says who wrote them) is nobody's to judge, and the
    business is not taken at its name.
    """
    ours = _QUOTED.sub("", body)
    return (*_structure(ours, kind, business), *_said(f"{subject}\n{ours}", kind, sensitive, business))


def _structure(ours: str, kind: Kind, business: Business) -> Iterator[Fault]:
    plain = ours.translate(_PLAIN)
    follow_up = kind is Kind.FOLLOW_UP
    for applies, says, binding in (
        (not ours.strip(), "it is empty", True),
        (len(_QUESTION.findall(plain)) > 1, "it asks more than one question (B1)", False),
        (
            follow_up and not business.address,
            "a follow-up needs your postal address (B5): say it under business.address in config.yaml",
            True,
        ),
        (
            follow_up and _even(business.address) not in _even(ours),
            f"a follow-up carries your postal address (B5): put back the line {business.address}",
            True,
        ),
        (
            follow_up and not _OPT_OUT_LINE.search(plain),
            'a follow-up says how to end it (B5): put back the line with "stop" or «baja»',
            True,
        ),
    ):
        if applies:
            yield Fault(says=says, binding=binding)


def _said(text: str, kind: Kind, sensitive: bool, business: Business) -> Iterator[Fault]:
    for name in (business.name, business.address, business.reschedule_url, business.sender.name):
        text = text.replace(name, " ") if name else text
    plain = text.translate(_PLAIN)
    here = {kind.value, "sensitive"} if sensitive else {kind.value}
    for rule in _RULES:
        if rule.only and not rule.only & here:
            continue
        found = rule.words.search(plain)
        if found:
            yield Fault(says=rule.says, words=" ".join(text[found.start() : found.end()].split()), binding=rule.binding)


def _even(text: str) -> str:
    """Without line breaks and double spaces, which mail programs put in as they like."""
    return " ".join(text.split())
