"""Draws which intents are taken for which others: rows are meant, columns understood."""

from collections import Counter
from html import escape

SHOWN_MAX = 18
"""Intents that are confused most; all others are one row and one column."""
OTHERS = "all others"
_CELL, _LEFT, _TOP, _MARGIN = 34, 190, 170, 14
_STYLE = """
    text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif }
    .ink { fill: #24211c } .soft { fill: #6b6457 }
    .grid { stroke: #d8d0c0; stroke-width: 1; fill: none }
    .right { fill: #1f6d6a } .wrong { fill: #b3451f }
    .on { fill: #ffffff; text-anchor: middle; font-weight: 600 }
    .off { text-anchor: middle }
    .end { text-anchor: end }
    @media (prefers-color-scheme: dark) {
      .ink { fill: #f2ede3 } .soft { fill: #a9a192 } .grid { stroke: #4a463e }
      .right { fill: #2b7f7b } .wrong { fill: #bf5630 }
    }
"""


def confused(pairs: list[tuple[str, str]]) -> list[str]:
    """Return the intents that take part in most confusions, in the order of their names."""
    errors: Counter[str] = Counter()
    for meant, understood in pairs:
        if meant != understood:
            errors.update((meant, understood))
    return sorted(name for name, _ in errors.most_common(SHOWN_MAX))


def draw(pairs: list[tuple[str, str]]) -> str:
    """Return an SVG, without a background of its own, from (meant, understood) intents."""
    names = [*confused(pairs), OTHERS]
    places = {name: place for place, name in enumerate(names)}
    counts: Counter[tuple[int, int]] = Counter(
        (places.get(meant, places[OTHERS]), places.get(understood, places[OTHERS]))
        for meant, understood in pairs
        # Two different ones of the others are no hit.
        if meant == understood or {meant, understood} & places.keys()
    )
    within = sum(m != u and not {m, u} & places.keys() for m, u in pairs)
    rows = Counter(meant for meant, _ in pairs)
    side = _CELL * len(names)
    width, height = _LEFT + side + 70, _TOP + side + 40
    right = sum(meant == understood for meant, understood in pairs)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" aria-labelledby="title desc">',
        '<title id="title">Confused intents</title>',
        f'<desc id="desc">{right} of {len(pairs)} held-out lines are understood as meant. Rows: '
        "what was meant. Columns: what was understood.</desc>",
        f"<style>{_STYLE}</style>",
        f'<text class="soft" x="{_MARGIN}" y="24">meant ↓ · understood →</text>',
    ]
    for name, place in places.items():
        y = _TOP + _CELL * place + _CELL / 2
        x = _LEFT + _CELL * place + _CELL / 2
        label = escape(name.replace("_", " "))
        parts.append(f'<text class="ink end" x="{_LEFT - 8}" y="{y + 4:.0f}">{label}</text>')
        parts.append(
            f'<text class="ink" transform="translate({x + 4:.0f} {_TOP - 8}) rotate(-55)">'
            f"{label}</text>"
        )
        total = rows[name] if name != OTHERS else len(pairs) - sum(rows[n] for n in names[:-1])
        parts.append(
            f'<text class="soft" x="{_LEFT + side + 10}" y="{y + 4:.0f}">of {total}</text>'
        )
    for line in range(len(names) + 1):
        along = _CELL * line
        parts.append(
            f'<path class="grid" d="M{_LEFT} {_TOP + along}h{side}M{_LEFT + along} {_TOP}v{side}"/>'
        )
    for (row, column), count in sorted(counts.items()):
        x, y = _LEFT + _CELL * column, _TOP + _CELL * row
        kind = "right" if row == column else "wrong"
        strength = 1 if row == column else min(1.0, 0.84 + 0.06 * count)
        parts.append(
            f'<rect class="{kind}" opacity="{strength:.2f}" x="{x + 1}" y="{y + 1}" '
            f'width="{_CELL - 2}" height="{_CELL - 2}" rx="3"/>'
            f'<text class="on" x="{x + _CELL / 2:.0f}" y="{y + _CELL / 2 + 5:.0f}">{count}</text>'
        )
    note = f"{right} of {len(pairs)} lines right ({right / len(pairs):.1%})"
    if within:
        note += f"; {within} more confusions lie within the others"
    parts.append(f'<text class="soft" x="{_MARGIN}" y="{height - 12}">{note}</text>')
    return "\n".join([*parts, "</svg>\n"])
