"""Generate a lifelike mailbox for measuring: mail number i depends on (seed, i) alone. The texts are no test of understanding.

About 30 % cancellations, 60 % English and 40 % Spanish, a third with quoted history, 12 % with one to three attachments of 50
to 260 kB (which make most of the bytes), bounces, newsletters and automatic replies. The mean is about 57 kB.
"""

from __future__ import annotations

import base64
import quopri
import random
from collections.abc import Iterator

BASE = 1_767_225_600  # 2026-01-01T00:00:00Z

FIRST = "Ana Luis Marta Jorge Lucía Pablo Sofía Andrés Mary Peter Susan Omar Priya Wei Chloe Liam Emma Noah Zoë Ruth".split()
LAST = "García Martínez López Sánchez Pérez Smith Jones Taylor Brown Patel Khan Müller Rossi Novak Kim Chen Vega".split()
DOMAINS = "mailbox.example post.example inbox.example correo.example buzon.example corp.example".split()

CANCEL = {
    "en": (
        "I would like to cancel my membership from next month.",
        "Please take me off the schedule for Thursday, I can't make it.",
        "We have decided not to go ahead with the quote for now.",
        "It has become too expensive for us, so please end the subscription.",
        "Nobody answered my calls twice, so I am done. Cancel the remaining sessions.",
        "I won't be needing the appointment on Friday any more.",
    ),
    "es": (
        "Quiero darme de baja a partir del mes que viene.",
        "No voy a poder ir a la cita del jueves, anúlela por favor.",
        "De momento no vamos a seguir adelante con el presupuesto.",
        "Se nos ha puesto demasiado caro, así que cancelen la suscripción.",
        "Dos veces llamé y nadie contestó. Cancelen el resto de las sesiones.",
        "Ya no me hace falta la cita del viernes.",
    ),
}
OTHER = {
    "en": (
        "Could you send me the invoice for last month?",
        "What is your cancellation policy if I fall ill?",
        "Thank you for the lovely session yesterday.",
        "The parcel arrived today, everything is fine.",
        "Is there still a place on the course in March?",
        "Attached you will find the signed form.",
        "Our address changes next week, please update it.",
    ),
    "es": (
        "¿Me puede enviar la factura del mes pasado?",
        "¿Cuál es su política de cancelación si me pongo enferma?",
        "Gracias por la sesión de ayer, salimos encantados.",
        "El paquete ha llegado hoy, todo perfecto.",
        "¿Queda alguna plaza en el curso de marzo?",
        "Adjunto el formulario firmado.",
        "Cambiamos de dirección la semana que viene.",
    ),
}
FILLER = {
    "en": (
        "I hope you are well.",
        "We were away for a few days and only saw your message now.",
        "The weather has been awful here, as you can imagine.",
        "My sister told me about you and she was quite right.",
        "If you need anything else from me, just write.",
        "I have kept the paper that you gave me in December.",
    ),
    "es": (
        "Espero que esté usted bien.",
        "Hemos estado fuera unos días y acabo de ver su mensaje.",
        "Aquí hace un tiempo horrible, ya se imagina.",
        "Mi hermana me habló de ustedes y tenía toda la razón.",
        "Si necesita algo más, no tiene más que escribirme.",
        "He guardado el papel que me dio en diciembre.",
    ),
}
SUBJECTS = {
    "en": ("Appointment", "Question", "My subscription", "Invoice", "Re: Your quote", "Thursday", "Thank you"),
    "es": ("Cita", "Una pregunta", "Mi suscripción", "Factura", "Re: Presupuesto", "El jueves", "Gracias"),
}
BYE = {"en": "Kind regards", "es": "Un saludo"}


def mail(seed: int, number: int) -> bytes:
    """The bytes of one mail, with CRLF line ends."""
    rng = random.Random(f"{seed}:{number}")
    kind = rng.random()
    if kind < 0.05:
        return _bounce(rng, number)
    if kind < 0.17:
        return _newsletter(rng, number)
    if kind < 0.20:
        return _person(rng, number, extra=(("Auto-Submitted", "auto-replied"),))
    return _person(rng, number)


def mailbox(count: int, seed: int = 7) -> Iterator[bytes]:
    """So many mails."""
    return (mail(seed, number) for number in range(count))


def _head(rng: random.Random, number: int, sender: str, subject: str, *, hops: int) -> list[str]:
    domain = sender.rsplit("@", 1)[1].rstrip(">")
    weekday = rng.choice(("Mon", "Tue", "Wed", "Thu", "Fri"))
    stamp = f"{weekday}, {1 + number % 28:02} Jan 2026 {number % 24:02}:{number % 60:02}:07 +0100"
    lines = [f"Return-Path: <{sender.rsplit('<', 1)[-1].rstrip('>')}>"]
    for hop in range(hops):
        lines.append(
            f"Received: from relay{hop}.{domain} (relay{hop}.{domain} [192.0.2.{rng.randrange(1, 255)}])\r\n"
            f"\tby mx{hop}.bluedoor.example (Postfix) with ESMTPS id {rng.getrandbits(48):012X}\r\n"
            f"\tfor <dana@bluedoor.example>; {stamp}"
        )
    lines += [
        f"Authentication-Results: mx.bluedoor.example; dmarc=pass header.from={domain}; spf=pass smtp.mailfrom={domain}",
        f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={domain}; s=s1; h=from:to:subject:date;\r\n"
        f"\tbh={base64.b64encode(rng.randbytes(32)).decode()};\r\n\tb={base64.b64encode(rng.randbytes(96)).decode()}",
        f"From: {sender}",
        "To: Bluedoor Studio <dana@bluedoor.example>",
        f"Subject: {_word(subject)}",
        f"Date: {stamp}",
        f"Message-ID: <{rng.getrandbits(64):016x}.{number}@{domain}>",
        "MIME-Version: 1.0",
    ]
    return lines


def _word(text: str) -> str:
    return text if text.isascii() else f"=?utf-8?b?{base64.b64encode(text.encode()).decode()}?="


def _person(rng: random.Random, number: int, extra: tuple[tuple[str, str], ...] = ()) -> bytes:
    language = "en" if rng.random() < 0.6 else "es"
    first, last = rng.choice(FIRST), rng.choice(LAST)
    sender = f"{_word(f'{first} {last}')} <p{number}.{rng.randrange(10**6)}@{rng.choice(DOMAINS)}>"
    lines = _head(rng, number, sender, rng.choice(SUBJECTS[language]), hops=rng.randrange(1, 5))
    lines += [f"{name}: {value}" for name, value in extra]
    text = _words(rng, language, f"{first} {last}")
    parts = [_text_part(rng, text)]
    if rng.random() < 0.12 / 0.8:
        parts += [_attachment(rng, n) for n in range(rng.randrange(1, 4))]
    return _assemble(lines, parts, rng)


def _words(rng: random.Random, language: str, name: str) -> str:
    said = rng.choice((CANCEL if rng.random() < 0.3 / 0.8 else OTHER)[language])
    filler = rng.sample(FILLER[language], rng.randrange(0, 5))
    filler.insert(rng.randrange(len(filler) + 1), said)
    body = f"Hola Dana:\n\n{' '.join(filler)}\n" if language == "es" else f"Hi Dana,\n\n{' '.join(filler)}\n"
    if rng.random() < 0.6:
        body += f"\n{BYE[language]},\n{name}\n"
    if rng.random() < 0.35:
        said_before = " ".join(rng.choices(FILLER[language] + OTHER[language], k=rng.randrange(3, 60)))
        wrapped = "\n".join(f"> {said_before[at : at + 70]}" for at in range(0, len(said_before), 70))
        line = "On Mon, 5 Jan 2026 at 10:04, Dana Reyes <dana@bluedoor.example> wrote:"
        if language == "es":
            line = "El lun, 5 ene 2026 a las 10:04, Dana Reyes (<dana@bluedoor.example>) escribió:"
        body += f"\n{line}\n{wrapped}\n"
    return body


def _text_part(rng: random.Random, text: str) -> str:
    plain = _leaf("text/plain", text, rng)
    if rng.random() < 0.45:
        return plain
    styled = "".join(
        f'<p style="margin:0;font-family:Arial;color:#2{n % 10}2222">{line}</p>' for n, line in enumerate(text.split("\n"))
    )
    html = _leaf("text/html", f"<html><head><style>p{{margin:0}}</style></head><body>{styled}</body></html>", rng)
    mark = f"alt{rng.getrandbits(40):010x}"
    head = f'Content-Type: multipart/alternative; boundary="{mark}"\r\n\r\n'
    return f"{head}--{mark}\r\n{plain}\r\n--{mark}\r\n{html}\r\n--{mark}--\r\n"


def _leaf(kind: str, text: str, rng: random.Random) -> str:
    charset = rng.choice(("utf-8", "utf-8", "utf-8", "iso-8859-1"))
    data = text.replace("\n", "\r\n").encode(charset, "replace")
    if rng.random() < 0.7:
        encoding, shown = "quoted-printable", quopri.encodestring(data).decode()
    else:
        encoding, shown = "base64", base64.encodebytes(data).decode()
    shown = shown.replace("\r\n", "\n").replace("\n", "\r\n")
    return f"Content-Type: {kind}; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{shown}"


def _attachment(rng: random.Random, number: int) -> str:
    data = base64.encodebytes(rng.randbytes(rng.randrange(50_000, 260_000))).decode().replace("\n", "\r\n")
    return (
        f'Content-Type: application/pdf; name="scan{number}.pdf"\r\nContent-Transfer-Encoding: base64\r\n'
        f'Content-Disposition: attachment; filename="scan{number}.pdf"\r\n\r\n{data}'
    )


def _assemble(lines: list[str], parts: list[str], rng: random.Random) -> bytes:
    if len(parts) == 1:
        return ("\r\n".join(lines) + "\r\n" + parts[0]).encode()
    mark = f"mix{rng.getrandbits(40):010x}"
    body = "".join(f"--{mark}\r\n{part}\r\n" for part in parts)
    return ("\r\n".join(lines) + f'\r\nContent-Type: multipart/mixed; boundary="{mark}"\r\n\r\n{body}--{mark}--\r\n').encode()


def _newsletter(rng: random.Random, number: int) -> bytes:
    lines = _head(rng, number, "Supplies Weekly <news@supplies.example>", "This week: up to 60 % off", hops=2)
    lines += ["List-Unsubscribe: <https://supplies.example/u>", "List-Id: <weekly.supplies.example>", "Precedence: bulk"]
    offers = "".join(
        f'<tr><td style="padding:8px"><a href="https://supplies.example/{rng.getrandbits(64):x}">Offer {n}</a> '
        f"{rng.choice(FILLER['en'])}</td></tr>"
        for n in range(rng.randrange(40, 160))
    )
    return _assemble(lines, [_leaf("text/html", f"<html><body><table>{offers}</table></body></html>", rng)], rng)


def _bounce(rng: random.Random, number: int) -> bytes:
    lines = _head(rng, number, "Mail Delivery System <MAILER-DAEMON@mx.example>", "Undelivered Mail Returned to Sender", hops=1)
    lines[0] = "Return-Path: <>"
    mark = f"rep{rng.getrandbits(40):010x}"
    lines.append(f'Content-Type: multipart/report; report-type=delivery-status; boundary="{mark}"')
    who = f"gone{number}@nowhere.example"
    parts = (
        f"Content-Type: text/plain\r\n\r\nI'm sorry. <{who}>: 550 5.1.1 User unknown\r\n",
        f"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; {who}\r\nAction: failed\r\nStatus: 5.1.1\r\n",
        f"Content-Type: message/rfc822\r\n\r\nFrom: dana@bluedoor.example\r\nTo: {who}\r\nSubject: hello\r\n\r\n"
        "Please cancel my plan.\r\n",
    )
    body = "".join(f"--{mark}\r\n{part}\r\n" for part in parts)
    return ("\r\n".join(lines) + f"\r\n\r\n{body}--{mark}--\r\n").encode()
