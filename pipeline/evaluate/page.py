"""One evaluation as one HTML page that needs nothing else: for screens and phones, by day and by night. Writes no file."""

from __future__ import annotations

from collections.abc import Sequence

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from pipeline.evaluate import measures, plots, report
from pipeline.evaluate.measures import Judged
from pipeline.evaluate.tables import Table

# No script, no font, no picture from anywhere: the policy of the page forbids even to ask. Colours are the reader's own.
_HTML = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>{{ title }}</title>
<style>
:root { color-scheme: light dark; --one: light-dark(#1d5f9e, #7db8f0); --two: light-dark(#b3541e, #f0a678); }
body { margin: 0 auto; max-width: 60rem; padding: 1.5rem 1rem; font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 1rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 1.5rem; }
figure { margin: 0; }
figcaption { font-weight: 600; margin-bottom: .25rem; }
svg { width: 100%; height: auto; font-size: 11px; fill: currentColor; }
.grid { stroke: currentColor; opacity: .15; }
.even { stroke: currentColor; opacity: .5; stroke-dasharray: 4 3; }
.drawn { fill: none; stroke: var(--one); stroke-width: 2; }
.dot, .bar0 { fill: var(--one); }
.bar1 { fill: var(--two); }
.end { text-anchor: end; }
.middle { text-anchor: middle; }
.wide { overflow-x: auto; }
table { overflow-wrap: normal; border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9375rem; }
th, td { padding: .2rem .6rem; text-align: right; border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
th:first-child, td:first-child { text-align: left; }
td + td { white-space: nowrap; }
td[style] { background: color-mix(in srgb, var(--one) var(--share), transparent); }
article { border-left: 3px solid var(--two); padding-left: .75rem; margin: 1rem 0; }
article p { margin: .25rem 0; }
mark { background: color-mix(in srgb, var(--two) 35%, transparent); color: inherit; }
</style>
</head>
<body>
<h1>{{ title }}</h1>
<div class="plots">
{% for caption, drawing in drawings %}
<figure><figcaption>{{ caption }}</figcaption>{{ drawing }}</figure>
{% endfor %}
</div>
{% for name, table, rows in tables %}
<section>
<h2>{{ name or "Figures" }}</h2>
<div class="wide"><table>
<thead><tr>{% for cell in table.head %}<th scope="col">{{ cell }}</th>{% endfor %}</tr></thead>
<tbody>
{% for row in rows %}
<tr>{% for cell, share in row %}<td{% if share %} style="--share: {{ share }}%"{% endif %}>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}
</tbody>
</table></div>
</section>
{% endfor %}
<section>
<h2>Surest of themselves and wrong</h2>
{% for each in worst %}
<article>
<p><strong>{{ each.id }}</strong>: {{ each.label }}, read as {{ each.said }} ({{ "{:.0%}".format(each.confidence) }})</p>
<p>{{ each.text[:shown] }}{{ "…" if each.text | length > shown }}</p>
{% if each.evidence %}<p>because of: {% for piece in each.evidence %}<mark>{{ piece }}</mark> {% endfor %}</p>{% endif %}

</article>
{% else %}
<p>Nothing was read wrong.</p>
{% endfor %}
</section>
</body>
</html>
"""

_PAGE = Environment(autoescape=True, trim_blocks=True, undefined=StrictUndefined, keep_trailing_newline=True).from_string(_HTML)


def html(title: str, judged: Sequence[Judged]) -> str:
    """The whole evaluation as a page."""
    return _PAGE.render(
        title=title,
        drawings=_drawings(judged),
        tables=[(name, table, _shaded(table, name == "Confusion")) for name, table in report.sections(judged)],
        worst=measures.worst(judged, report.WORST),
        shown=report.SHOWN,
    )


def _shaded(table: Table, counts: bool) -> list[list[tuple[str, int]]]:
    """The cells, each with how dark it is in percent: a count by its share of the row, anything else not at all."""
    rows = []
    for name, *cells in table.rows:
        whole = sum(map(int, cells)) if counts else 0
        rows.append([(name, 0), *((cell, round(90 * int(cell) / whole) if whole else 0) for cell in cells)])
    return rows


def _drawings(judged: Sequence[Judged]) -> list[tuple[str, Markup]]:
    bins = [part for part in measures.by_confidence(judged) if part]
    sure = [(measures.mean([each.confidence for each in part]), measures.accuracy(part)) for part in bins]
    covered = [(share, measures.accuracy(judged, share)) for share in measures.COVERAGES]
    floor = min(0.9, int(10 * min(accuracy for _, accuracy in covered)) / 10)
    spoken = [measures.by_class([each for each in judged if each.lang == lang]) for lang in ("en", "es")]
    classes = [(label, [part[label][2] if label in part else 0.0 for part in spoken]) for label in measures.by_class(judged)]
    honest, surest, each_reading = (
        "Does the confidence mean what it says?",
        "How right is the surest part?",
        "F1 of each reading",
    )
    return [
        (honest, plots.line(honest, sure, "confidence", "right", diagonal=True)),
        (surest, plots.line(surest, covered, "share of the texts", "right", floor=floor)),
        (each_reading, plots.bars(each_reading, classes, ("English", "Spanish"))),
    ]
