"""Lay out the policy on cancelling as one page for customers: Markdown, or HTML that needs nothing else. Writes no file."""

from __future__ import annotations

import re

from jinja2 import Environment, StrictUndefined

from pipeline.core.policy import version
from pipeline.core.policy_words import LANGUAGES, TU, sections
from pipeline.core.records import Business, Policy

_WORDS = {
    "title": ("When plans change", "Cuando cambian los planes"),
    "write": ("Write to us", "Escríbanos"),
    "call": ("Call us", "Llámenos"),
    "book": ("Pick another date", "Elija otra fecha"),
    "find": ("Find us", "Encuéntrenos"),
    "version": ("Version", "Versión"),
}
_WORDS_TU = {"write": "Escríbenos", "call": "Llámanos", "book": "Elige otra fecha", "find": "Encuéntranos"}

# No script, no font, no picture from anywhere: the policy of the page forbids even to ask. Colours are the reader's own.
_HTML = """\
<!doctype html>
<html lang="{{ language }}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>{{ title }} – {{ business.name }}</title>
<style>
:root { color-scheme: light dark; }
body { margin: 0 auto; max-width: 38rem; padding: 2rem 1.25rem; font: 1.0625rem/1.6 Georgia, serif; overflow-wrap: anywhere; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; line-height: 1.3; margin: 2rem 0 .25rem; }
p { margin: .5rem 0; }
ul { margin: .5rem 0; padding-left: 1.25rem; }
.name { font-style: italic; }
footer { border-top: 1px solid; margin-top: 2.5rem; padding-top: 1rem; font-size: .9375rem; }
@media print {
  @page { margin: 2cm; }
  :root { color-scheme: light; }
  body { max-width: none; padding: 0; font-size: 11pt; }
  a { color: inherit; }
  h2 { break-after: avoid; }
  section { break-inside: avoid; }
}
</style>
</head>
<body>
<header>
<h1>{{ title }}</h1>
<p class="name">{{ business.name }}</p>
</header>
<main>
{% for section in sections %}
<section id="{{ section.key }}">
<h2>{{ section.title }}</h2>
{% for block in section.blocks %}
{% if block is string %}
<p>{{ block }}</p>
{% else %}
<ul>
{% for line in block %}
<li>{{ line }}</li>
{% endfor %}
</ul>
{% endif %}
{% endfor %}
</section>
{% endfor %}
</main>
<footer>
{% for label, text, link in contacts %}
<p>{{ label }}: {% if link %}<a href="{{ link }}">{{ text }}</a>{% else %}{{ text }}{% endif %}</p>
{% endfor %}
<p>{{ version_label }} {{ version }}</p>
</footer>
</body>
</html>
"""

_PAGE = Environment(autoescape=True, trim_blocks=True, undefined=StrictUndefined, keep_trailing_newline=True).from_string(_HTML)


def markdown(policy: Policy, business: Business, language: str) -> str:
    """The policy as Markdown, each section under an anchor that is its key. `language` is en or es."""
    form = business.address_form
    parts = [f"# {_word('title', language, form)}", f"*{_literal(business.name)}*"]
    for section in sections(policy, language, business.address_form):
        parts.append(f'<a id="{section.key}"></a>\n\n## {section.title}')
        for block in section.blocks:
            parts.append(_literal(block) if isinstance(block, str) else "\n".join(f"- {_literal(line)}" for line in block))
    contacts = [f"{label}: {f'<{text}>' if link else _literal(text)}" for label, text, link in _contacts(business, language)]
    parts += ["---", "  \n".join([*contacts, f"{_word('version', language, form)} {version(policy)}"])]
    return "\n\n".join(parts) + "\n"


def html(policy: Policy, business: Business, language: str) -> str:
    """The policy as one HTML page for screens, phones and paper, each section under an anchor that is its key."""
    return _PAGE.render(
        language=language,
        title=_word("title", language, business.address_form),
        business=business,
        sections=sections(policy, language, business.address_form),
        contacts=_contacts(business, language),
        version_label=_word("version", language, business.address_form),
        version=version(policy),
    )


def _word(key: str, language: str, form: str) -> str:
    if language == "es" and form == TU:
        return _WORDS_TU.get(key, _WORDS[key][1])
    return _WORDS[key][LANGUAGES.index(language)]


def _contacts(business: Business, language: str) -> list[tuple[str, str, str]]:
    """How to reach the business: what it is for, what to read, and where it leads ("" for nowhere)."""
    mail, url = business.sender.address, business.reschedule_url
    known = (
        ("write", mail, f"mailto:{mail}"),
        ("call", business.phone, ""),
        ("book", url, url),
        ("find", business.address, ""),
    )
    return [(_word(key, language, business.address_form), text, link) for key, text, link in known if text]


def _literal(text: str) -> str:
    """The text with every character that Markdown would read as a sign made plain."""
    return re.sub(r"([\\`*_\[\]<>#|~&])", r"\\\1", text)
