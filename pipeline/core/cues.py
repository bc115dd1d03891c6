"""Reduce a text to the few ideas that tell a cancellation from talk about one, the same in English and in Spanish.

A word counts as the idea it stands for, and what stands between ideas is passed over: "I want to cancel my order" and "quiero
cancelar mi pedido" are both `want cancel order`. Runs of ideas in one sentence are the cues; the model learns what they weigh.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

# A hyphen joins the words of a phrase. A word or phrase belongs to the first idea that lists it.
_IDEAS: Mapping[str, str] = {
    "cancel": """
        cancel cancela cancelar cancelarla cancelarlo cancelarme cancelarlos cancelarlas cancelarte cancelarle cancelen
        cancelenla cancelenlo cancelenme cancelenmela cancelenmelo cancelad canceladlo canceladla canceladme cancelame
        cancelamela cancelamelo cancelala cancelalo canceleme cancelela cancelelo canceles cancele cancelemos anula
        anular anularla anularlo anule anulen anulenla anulenlo anulad anuladlo anuladla anuladme anulame anulala
        anulalo anulela anulelo anuleme anules anulemos cxl canx rescind rescindir rescindan rescinda annul anularme
        anularlos anularlas cancelenos cancelennos
    """,
    "cancel1": "cancelo cancelamos anulo anulamos cancelaré cancelaria cancelaremos anularemos anularé rescindo",
    "cancelpast": """
        cancelé anulé canceled cancelled canselled cancelaste canceló cancelaron anuló anularon cancelastes cancelasteis
        habia cancelado
    """,
    "cancelled": "cancelada cancelados canceladas anulado anulada anulados anuladas rescindido",
    "cancelling": "canceling cancelling cancelando anulando",
    "cancelnoun": """
        cancellation cancelation cancellations cancelaciones cancelación cancelacion anulación anulacion termination
        rescisión rescision
    """,
    "baja": "baja bajas",
    "give": "dar darme darnos darle darla darlo darse dame dadme deme denme den des dé doy damos di dimos demos dad dennos",
    "end": """
        end ending finish terminate terminating discontinue discontinuing deactivate disconnect delete close closing
        quit unsubscribe unenroll unenrol disenroll withdraw withdrawing suspend terminar finalizar termina terminamos
        cerrar cierren cierre cierro cerremos eliminar eliminen borrar borren bórrame borrame borradme desactivar
        desactiven suspender suspendan suspenda suspendo suspendemos desuscribir desuscribirme concluir cesar dejar
        dejarlo dejo dejamos dejarla dejaré finiquitar desconectar desconecten stop stopping stopped cut cutting
    """,
    "renew": """
        renew renewing renewal renews autorenew auto-renew renovar renueven renueve renuevo renovamos renovaré
        renovación renovacion renovaremos renovarlo renovarla
    """,
    "decline": """
        decline declining pass passing rechazar rechazo rechazamos descartar descarto descartamos desistir desisto
        desistimos desistimiento renuncio renunciar renunciamos declinar declino declinamos prescindir prescindo
        prescindimos
    """,
    "leave": "leave leaving left depart marcharme irme salirme salgo dejaros nos-vamos me-voy me-marcho",
    "switch": """
        switch switched switching cambié cambiado competitor competidor competencia cambio-a otro-proveedor
        another-provider another-company
    """,
    "skip": "skip skipping miss missing saltarme saltar perderme",
    "return": "return returning devolver devuelvo devolución devolucion",
    "refund": """
        refund refunded refunds reembolso reembolsen reembolsar reintegro devuelvan devolvedme devuélvanme devuelvanme
        money-back
    """,
    "take_off": """
        remove quítame quitame quiten quítenme quitenme quitar sácame sacame sáquenme saquenme sacar strike scratch
        take-me-off take-us-off take-him-off take-her-off count-me-out count-us-out cross-me-off
    """,
    "calloff": "call-off called-off calling-off call-it-off",
    "release": """
        release ceder cedo cedan liberar libero liberen liberamos free-up give-my-spot give-up giving-up my-spot my-slot
        our-spot our-place our-slot otra-persona someone-else somebody-else
    """,
    "notneed": """
        no-longer-need no-longer-needed no-longer-require no-longer-want ya-no-necesito ya-no-necesitamos
        ya-no-hace-falta ya-no-quiero ya-no-queremos ya-no-me-interesa no-longer-interested not-interested
        no-me-interesa no-nos-interesa no-need no-hace-falta
    """,
    "nolonger": "anymore no-longer any-more any-longer ya-no nunca-mas",
    "makeit": """
        attend come coming join joining asistir acudir ir venir presentarme vengo voy vamos iremos llegar participar
        hacerlo make-it be-there be-able
    """,
    "able": "able can could podré podre podremos puedo podemos poder podría podria podríamos posible possible pudiera",
    "cannot": "can't cant cannot couldn't couldnt couldn unable imposible impossible can-not won't-be-able",
    "wont": "won't wont wouldn't will-not",
    "neg": """
        not no don't dont doesn't doesnt didn't didnt isn't isnt aren't wasn't weren't never nunca jamás jamas ni
        tampoco without sin haven't hasn't hadn't shouldn't neither nor
    """,
    "want": """
        want wanted wanna wish like love prefer rather quiero queremos quisiera quería queria querría queriamos
        queríamos quisiéramos deseo deseamos prefiero preferimos gustaría gustaria querer desearía desearia
    """,
    "need": "need needs needed require necesito necesitamos necesitaba necesitaría",
    "must": """
        must gotta forced debo debemos toca obligado obligada obligados ought supposed have-to has-to had-to got-to
        tengo-que tenemos-que tendre-que tendremos-que hay-que veo-obligado
    """,
    "decide": "decide decided decision decidí decidi decidido decidimos decisión",
    "ask": """
        please pls plz kindly favor ruego ruega rogamos solicito solicitar solicitamos request requesting pido pedimos
        pedir proceed proceder procedan proceda puede pueden puedes podéis podeis podrían podrian asking hereby formally
        formalmente gracias-por can-you could-you would-you podria-usted me-pueden te-pido les-pido
    """,
    "notice": """
        notice notify notifying advise notification aviso avisar informar informarle comunico comunicar comunicarles
        comunicamos notifico confirm confirmen confírmame inform informing let-you-know
    """,
    "goahead": """
        proceeding continue continuing seguir sigo seguimos continuar continúo continuamos adelante go-ahead going-ahead
        move-forward moving-forward go-forward going-forward
    """,
    "gowith": """
        chose choose chosen elegido elegimos opted optado go-with going-with went-with gone-with signed-with sign-with
        went-another another-direction different-direction quedamos-con quedo-con other-option otra-opcion
    """,
    "mind": """
        changed-my-mind changed-our-minds change-of-mind cambie-de-opinion cambiado-de-opinion cambio-de-planes
        change-of-plans second-thoughts cambiado-de-idea pensado-mejor
    """,
    "keep": """
        keep keeping stay staying mantener mantengo mantenemos conservar quedarme still todavía todavia sigue aún aun
        siguen sigo-queriendo leave-it-as
    """,
    "ignore": "ignore disregard forget scrap olvida olviden olvide olvidad ignora ignoren ignorad false-alarm falsa-alarma",
    "afterall": "finally finalmente after-all al-final siempre-si siempre-no in-the-end",
    "if": "if unless otherwise si salvo excepto depending whether caso supposing or-else in-case menos-que a-menos como-no",
    "when": "when once until hasta cuando while mientras before antes",
    "may": """
        may might maybe perhaps possibly probably quizá quizás quizas capaz probablemente posiblemente igual seguro
        depende considering pensando planteando dudando dudo doubt unsure wondering tal-vez not-sure no-se thinking-of
        thinking-about
    """,
    "q": "what how why where which who qué que? cómo cuándo cuanto cuánto cuánta cuál dónde cuántos como-se donde-puedo",
    "policy": """
        policy policies fee fees penalty charge charges terms condiciones política politica políticas penalización
        penalizacion cláusula clausula plazo comisión refundable nonrefundable non-refundable cargo permanencia
        free-cancellation
    """,
    "already": "already ya just recién recien",
    "past": "was were been had have has did fue fueron había he hemos ha han era estaba hubo",
    "by": "by por",
    "you": "you your you've you're usted ustedes vosotros tú su sus vuestro vuestra te les os",
    "they": """
        they them their she it ellos ella él customer client clients cliente clientes supplier airline someone people
        nos-han
    """,
    "i": """
        i we i'm we're i'd we'd i've we've i'll we'll me us yo nosotros mi my our mine ours nuestro nuestra mis nos im
        ill ive
    """,
    "future": "will shall going gonna va van vaya vayan vas",
    "appt": """
        appointment appointments booking bookings reservation reservations cita citas turno turnos reserva reservas hora
        visita sesión sesion session lesson class clase clases meeting reunión reunion slot table mesa visit flight
        viaje trip lecciones lessons classes call demo
    """,
    "order": "order orders pedido pedidos encargo delivery envío envio compra purchase item paquete shipment",
    "account": """
        account accounts membership subscription suscripción suscripcion plan contract contrato service services
        servicio servicios póliza poliza cuenta membresía membresia abono línea linea line cuota matrícula matricula
        inscripción inscripcion enrollment enrolment insurance hosting gym gimnasio suscribción plaza curso course
    """,
    "quote": "quote proposal estimate presupuesto propuesta cotización cotizacion offer oferta tender bid",
    "reschedule": """
        reschedule rescheduling rescheduled rebook reprogramar reagendar reprogramemos reprograme postpone postponed
        postponing posponer posponerlo pospongo aplazar aplazo aplazamos aplacemos reprogramación reagendemos rearrange
    """,
    "move": """
        move moved moving push shift swap cambiar mover pasar pasarla pasarlo correr cambiarla cambiarlo muevan
        adelantar retrasar adelantarla change changing modify modificar traslada bring-forward
    """,
    "another": """
        later another-day another-time another-date different-day different-time different-date other-day otro-dia
        otra-fecha otra-hora otro-momento other-time next-week proxima-semana la-semana-que-viene mas-adelante mas-tarde
    """,
    "late": "late tarde retraso delayed delay demora tardé stuck atascado tráfico traffic running-late llego-tarde",
    "coming": "llegamos llego on-my-way on-our-way in-camino en-camino voy-en-camino",
    "pay": """
        pay paid paying payment pagar pagué pago pagado pagos factura recibo cuotas mensualidad saldo invoice
        transferencia deuda deposit yape nequi plin efectivo transfer sinal abonar abonado depositar depósito
    """,
    "price": """
        price prices pricey expensive cost costs afford affordable budget cheaper cheap caro cara caros caras precio
        precios barato barata económico económica economico costoso tarifa tarifas presupuestario money dinero plata
        gasto gastos gastar costing increase increased hike subida subido subió aumento aumentó rates rate overpriced
        steep
    """,
    "bad": """
        bad rude unprofessional poor terrible awful worst worse horrible disappointed disappointing disappointment
        unhappy dissatisfied unacceptable useless broken bug bugs crash crashes crashing slow wrong mistake mistakes
        error errors complaint complain tired ridiculous disgusted pésimo pesimo pésima pesima malo mala mal peor
        grosero grosera fatal decepcionado decepcionada decepción harto harta hartos queja quejas vergüenza verguenza
        inaceptable desastre falla fallas fallo fallos lento errores nadie ignored nobody damaged roto rota fed-up
        sick-of nunca-llego no-contestan never-arrived never-showed no-response no-reply
    """,
    "love": """
        great excellent wonderful amazing happy excelente encanta encantada encantado feliz genial maravilloso contentos
        contenta contento
    """,
    "illness": """
        sick illness flu covid fever hospital surgery injury injured enfermo enferma enfermedad fiebre gripe
        hospitalizado operación operacion cirugía cirugia lesión lesion médico doctor accident accidente
    """,
    "death": "died death funeral falleció fallecio murió murio muerte entierro bereavement fallecimiento fallecido passed-away",
    "work": "work job boss trabajo jefe turno-de-trabajo meeting-came-up viaje-de-trabajo",
    "conflict": """
        conflict clash surgió surgio imprevisto emergency emergencia urgente unforeseen compromiso something-came-up
        came-up double-booked
    """,
    "family": """
        mother father son daughter kid kids child wife husband mum mom hijo hija madre padre esposa esposo marido mujer
        mamá papá hijos niño niña
    """,
    "travel": """
        travel travelling traveling away vacation holiday holidays vacaciones viajar out-of-town viaje-fuera
        fuera-de-la-ciudad
    """,
    "weather": "weather snow rain storm lluvia nieve tormenta clima",
    "notready": """
        wait waiting esperar esperando pause pausa pausar someday eventually comparing comparando decidirnos decidirme
        pensarlo pensármelo not-ready for-now for-the-moment por-ahora por-el-momento de-momento not-yet todavia-no
        aun-no still-deciding still-comparing next-year proximo-ano el-ano-que-viene in-the-future en-el-futuro hold-off
        on-hold think-about-it
    """,
    "sold": """
        sold vendí vendido vendimos relocating relocated mudamos mudo mudanza mudado retiring retired jubilo jubilado
        moved-away moving-to closed-down
    """,
    "use": "use using used usage uso usar usamos utilizo utilizamos barely rarely apenas casi-no-uso casi-no-lo-uso",
    "self": "myself ourselves diy yo-mismo yo-misma nosotros-mismos",
    "thanks": "thanks thank gracias cheers appreciate agradezco agradecemos",
    "sorry": """
        sorry apologies apologise apologize regret regretfully unfortunately sadly afraid disculpa disculpe disculpen
        perdón perdon lamento lamentablemente lamentamos desafortunadamente siento desgraciadamente lo-siento
    """,
    "hello": "hi hello hey hola buenas buenos estimados estimado estimada dear",
    "tomorrow": """
        tomorrow today tonight mañana hoy monday tuesday wednesday thursday friday saturday sunday lunes martes
        miércoles miercoles jueves viernes sábado sabado domingo tarde-noche
    """,
    "email": """
        email emails newsletter mailing marketing correos boletín boletin promociones publicidad messages mensajes texts
        list lista spam
    """,
    "contact": "contact contacting escriban contacten llamen contactar contacto call-me write-me",
    "lawyer": """
        lawyer attorney solicitor legal sue court abogado demanda denuncia denunciar ombudsman consumo profeco indecopi
        sernac
    """,
}

# What stands in a text besides the ideas of the table: the end of a sentence, a word that stands for no idea, and these signs.
BREAK, NOTHING, COMMA, QUESTION = range(1, 5)
IDEAS = ("", ".", "_", ",", "?", *_IDEAS)  # by their numbers; 0 is no idea


def _numbers(names: str) -> frozenset[int]:
    return frozenset(map(IDEAS.index, names.split()))


# What turns the meaning of an ending round, and what an ending is: each pair in one sentence is a cue of its own.
TURNS = _numbers(
    "if may neg already past you they ask must want ? ignore keep pay email future policy q by i cannot wont decide"
)
ENDINGS = _numbers(
    "cancel cancel1 cancelpast cancelled cancelling cancelnoun baja end renew makeit reschedule move decline take_off"
)

_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)?|[?!.;\n,]")
_SIGNS = {"!": BREAK, ".": BREAK, ";": BREAK, "\n": BREAK, ",": COMMA, "?": QUESTION}
_SHORT = 2  # letters of a word that is passed over if it stands for no idea


def _plain(word: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKD", word) if not unicodedata.combining(letter))


def _index() -> tuple[dict[str, int], dict[str, list[tuple[list[str], int]]]]:
    """Ideas by word (as written, and without accents where that is not another idea's word), and phrases by first word."""
    words: dict[str, int] = dict(_SIGNS)
    phrases: dict[str, list[tuple[list[str], int]]] = {}
    for idea, forms in _IDEAS.items():
        for form in forms.split():
            parts = form.split("-")
            if len(parts) > 1:
                phrases.setdefault(parts[0], []).append((parts, IDEAS.index(idea)))
            else:
                words.setdefault(form, IDEAS.index(idea))
    for word, number in list(words.items()):
        words.setdefault(_plain(word), number)
    for known in phrases.values():
        known.sort(key=lambda phrase: -len(phrase[0]))
    return words, phrases


_BY_WORD, _BY_FIRST = _index()


def ideas(text: str) -> list[int]:
    """The ideas of a text in their order, as numbers in IDEAS; a sentence ends at BREAK or with QUESTION."""
    words = _TOKEN.findall(text.lower().replace("’", "'"))
    plain = words if text.isascii() else [word if word.isascii() else _plain(word) for word in words]
    known = _BY_WORD.get
    found = [
        known(word) or known(bare) or (NOTHING if len(word) > _SHORT else 0) for word, bare in zip(words, plain, strict=True)
    ]
    passed = 0  # a phrase that begins earlier has taken the words up to here
    for at in [at for at, word in enumerate(plain) if word in _BY_FIRST]:
        if at >= passed and (phrase := _phrase(plain, at)):
            passed = at + len(phrase[0])
            found[at:passed] = [phrase[1]] + [0] * (len(phrase[0]) - 1)
    return list(filter(None, found))


def _phrase(plain: list[str], at: int) -> tuple[list[str], int] | None:
    """The longest phrase that begins here, with its idea."""
    return next((known for known in _BY_FIRST[plain[at]] if plain[at : at + len(known[0])] == known[0]), None)
