"""Show every text as a customer would read it, filled with sample data, and say what is wrong with it. Sends nothing."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from jinja2 import Environment, StrictUndefined

from pipeline import app
from pipeline.config import Config
from pipeline.core import around, compose, tone
from pipeline.core.records import Address, Kind
from pipeline.edges.templates import Templates
from pipeline.errors import TextRefused

SOMEBODY = Address(name="Maria Lopez", address="maria@example.org")
NAMELESS = Address(address="maria@example.org")
SENT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
WISHED = date(2026, 4, 7)


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """A text as it would be read: `file` is where it stands, `faults` what it would be refused for."""

    file: str
    kind: Kind
    subject: str
    body: str
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sample:
    """Whom a text is shown for: a customer, the date they wished, whether follow-ups are planned."""

    who: Address = SOMEBODY
    wished: date | None = None
    keeps_in_touch: bool = True


def previews(
    config: Config, templates: Templates, *, reason: str | None = None, language: str | None = None, variant: int | None = None
) -> Iterator[Preview]:
    """The texts in the order of their names: all of them, or those of one reason, one language, one variant.

    A text that speaks of a date of the customer's own is shown without one and with one.
    """
    for spoken, text in _texts(config, templates, reason, language):
        if variant in (None, int(text.partition(".")[2] or 1)):
            samples = (_Sample(), _Sample(wished=WISHED))
            yield from dict.fromkeys(_preview(config, templates, text, spoken, sample) for sample in samples)


def faulty(config: Config, templates: Templates) -> Iterator[Preview]:
    """The texts that would be refused, each with the first sample that shows it: with and without name, date, follow-ups."""
    parts = itertools.product((SOMEBODY, NAMELESS), (None, WISHED), (True, False))
    samples = [_Sample(who=who, wished=wished, keeps_in_touch=stays) for who, wished, stays in parts]
    for spoken, text in _texts(config, templates, None, None):
        tried = (_preview(config, templates, text, spoken, sample) for sample in samples)
        yield from itertools.islice((one for one in tried if one.faults), 1)


def _texts(config: Config, templates: Templates, reason: str | None, language: str | None) -> Iterator[tuple[str, str]]:
    """Each language with each text and variant in it, as far as it is asked for."""
    followed = {step.template for step in config.follow_ups.tracks.get(reason or "", ())}
    for spoken in [language] if language else config.business.languages:
        for name in sorted(templates.names(spoken)):
            if reason in (None, name) or name in followed or name.startswith(f"{reason}_"):
                yield from ((spoken, text) for text in templates.variants(name, spoken))


def _preview(config: Config, templates: Templates, text: str, language: str, sample: _Sample) -> Preview:
    rules, kind = config.rules(), _kind(config, text.partition(".")[0])
    file = f"{templates.folder(language).name}/{text}.txt"
    values = {
        **compose.values(sample.who, language, SENT, sample.wished, rules, keeps_in_touch=sample.keeps_in_touch),
        **dict.fromkeys(compose.MORE, "..." if sample.wished else ""),
    }
    try:
        made = templates.render(text, language, values)
    except TextRefused as error:
        return Preview(file=file, kind=kind, subject="", body="", faults=(str(error),))
    body = made.body + (compose.footer(language, rules.business) if kind is Kind.FOLLOW_UP else "")
    sensitive = text.startswith("sensitive_")
    found = tone.faults(made.subject, body, kind, sensitive=sensitive, business=rules.business)
    return Preview(file=file, kind=kind, subject=made.subject, body=body, faults=tuple(map(str, found)))


def _kind(config: Config, name: str) -> Kind:
    """What a text is used as: one that no answer uses is taken for a follow-up."""
    if name in around.TEXTS:
        return around.TEXTS[name]
    answers = name not in config.referred_templates() and name in app.acknowledgments(config.rules())
    return Kind.ACKNOWLEDGMENT if answers else Kind.FOLLOW_UP


def plain(shown: Preview) -> str:
    """One text for the terminal."""
    wrong = "".join(f"\n  REFUSED: {fault}" for fault in shown.faults)
    lines = "\n".join(f"  {line}".rstrip() for line in shown.body.splitlines())
    return f"{shown.file} ({shown.kind.replace('_', '-')}){wrong}\n  Subject: {shown.subject}\n\n{lines}\n"


_PAGE = Environment(autoescape=True, trim_blocks=True, undefined=StrictUndefined, keep_trailing_newline=True).from_string(
    """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>Texts of {{ business }}</title>
<style>
:root { color-scheme: light dark; }
body { margin: 0 auto; max-width: 40rem; padding: 1.5rem; font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
article { border: 1px solid; border-radius: .5rem; margin: 1.5rem 0; padding: 1rem; break-inside: avoid; }
h2 { font-size: 1rem; margin: 0; }
pre { font: inherit; white-space: pre-wrap; margin: .75rem 0 0; }
.wrong { font-weight: bold; }
</style>
</head>
<body>
<h1>Texts of {{ business }}</h1>
{% for text in texts %}
<article>
<h2>{{ text.subject }}</h2>
<small>{{ text.file }}, {{ text.kind.replace("_", "-") }}</small>
{% for fault in text.faults %}
<p class="wrong">Refused: {{ fault }}</p>
{% endfor %}
<pre>{{ text.body }}</pre>
</article>
{% endfor %}
</body>
</html>
"""
)


def html(shown: Sequence[Preview], business: str) -> str:
    """All of them as one page that needs nothing else."""
    return _PAGE.render(texts=shown, business=business)
