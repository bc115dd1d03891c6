"""Small plots as inline SVG. They scale with the page and take its colours; each has its values as text for screen readers."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

WIDTH, HEIGHT = 360, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 12, 12, 34

Points = Sequence[tuple[float, float]]


def line(title: str, points: Points, across: str, up: str, *, diagonal: bool = False, floor: float = 0.0) -> Markup:
    """A line through points, both axes from 0 (or `floor`) to 1; `diagonal` is where they would lie if both were equal."""
    places = [(_x(x), _y(y, floor)) for x, y in points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    parts = [_axes(across, up, floor)]
    if diagonal:
        parts.append(
            Markup('<line class="even" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(
                _x(0), _y(0, floor), _x(1), _y(1, floor)
            )
        )
    parts.append(Markup('<polyline class="drawn" points="{}"/>').format(path))
    parts += [
        Markup('<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="3"><title>{:.2f}: {:.3f}</title></circle>').format(x, y, *point)
        for (x, y), point in zip(places, points, strict=True)
    ]
    return _svg(title, HEIGHT, parts)


def bars(title: str, rows: Sequence[tuple[str, Sequence[float]]], names: Sequence[str]) -> Markup:
    """Bars from 0 to 1, lying: a group for each row with a bar for each name."""
    group = 14 * len(names) + 12
    height = group * len(rows) + 28
    parts = []
    for number, (label, values) in enumerate(rows):
        top = number * group + 4
        parts.append(Markup('<text class="end" x="96" y="{}">{}</text>').format(top + 7 * len(names) + 3, label))
        for place, value in enumerate(values):
            y = top + 14 * place
            parts.append(
                Markup(
                    '<rect class="bar{}" x="102" y="{}" width="{:.1f}" height="11"><title>{} {}: {:.3f}</title></rect>'
                ).format(place, y, 210 * value, label, names[place], value)
            )
            parts.append(Markup('<text x="{:.1f}" y="{}">{:.2f}</text>').format(106 + 210 * value, y + 9, value))
    for place, name in enumerate(names):
        x = 102 + 90 * place
        parts.append(Markup('<rect class="bar{}" x="{}" y="{}" width="11" height="11"/>').format(place, x, height - 20))
        parts.append(Markup('<text x="{}" y="{}">{}</text>').format(x + 16, height - 11, name))
    return _svg(title, height, parts)


def _x(value: float) -> float:
    return _LEFT + value * (WIDTH - _LEFT - _RIGHT)


def _y(value: float, floor: float) -> float:
    return HEIGHT - _BOTTOM - (max(value, floor) - floor) / (1 - floor) * (HEIGHT - _TOP - _BOTTOM)


def _axes(across: str, up: str, floor: float) -> Markup:
    parts = []
    for step in range(6):
        share = step / 5
        value = floor + share * (1 - floor)
        y, x = _y(value, floor), _x(share)
        parts.append(
            Markup('<line class="grid" x1="{:.1f}" y1="{:.1f}" x2="{}" y2="{:.1f}"/>').format(_x(0), y, WIDTH - _RIGHT, y)
        )
        parts.append(Markup('<text class="end" x="{}" y="{:.1f}">{:.2g}</text>').format(_LEFT - 5, y + 4, value))
        parts.append(Markup('<text class="middle" x="{:.1f}" y="{}">{:.1f}</text>').format(x, HEIGHT - _BOTTOM + 14, share))
    middle = (_x(0) + _x(1)) / 2
    parts.append(Markup('<text class="middle" x="{:.1f}" y="{}">{}</text>').format(middle, HEIGHT - 4, across))
    parts.append(
        Markup('<text class="middle" transform="rotate(-90 10 {0})" x="10" y="{0}">{1}</text>').format(HEIGHT // 2, up)
    )
    return Markup("").join(parts)


def _svg(title: str, height: int, parts: Sequence[Markup]) -> Markup:
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, height, title, Markup("").join(parts)
    )
