"""Draws charts: bars, lines, slices of a ring."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from integrations.tools.base import Setup, Tool, function
from integrations.tools.drawing import Picture, fitting, wide
from integrations.tools.wording import file_name, needed, shortened
from mindloom.engine.ports import ToolContext, ToolError, ToolFunction

WIDTH, HEIGHT = 880, 495
MOST_LABELS, MOST_SERIES, MOST_SLICES = 60, 6, 12
_LARGEST = 1e15
_MARGIN = 28
_INK, _SOFT, _GRID = "#1f2033", "#5b5d75", "#e3e3ee"
# Told apart with colour-blind eyes, too; each has a contrast of at least 3 to white.
_COLOURS = (
    "#5b4fd6",
    "#0f8a7e",
    "#c4622d",
    "#2f7fc1",
    "#a8437f",
    "#7a7d1f",
    "#6b7280",
    "#8b5cf6",
    "#15803d",
    "#b45309",
    "#0369a1",
    "#9f1239",
)
_TYPES = {"svg": "image/svg+xml", "png": "image/png"}


@dataclass(frozen=True)
class Series:
    """Values, one for each label; None where there is none."""

    name: str
    values: list[float | None]


@dataclass(frozen=True)
class Chart:
    """What is drawn."""

    kind: str
    title: str
    labels: list[str]
    series: list[Series]
    unit: str


def _save(arguments: dict[str, Any], context: ToolContext) -> str:
    chart = _chart(arguments)
    picture = Picture(WIDTH, HEIGHT, chart.title, described(chart))
    top = _head(picture, chart)
    _KINDS[chart.kind](picture, chart, top)
    form = str(arguments.get("format") or "svg")
    content = picture.svg() if form == "svg" else picture.png()
    saved = context.save_artifact(
        file_name(str(arguments.get("name") or chart.title), f".{form}", "chart"), content, _TYPES[form]
    )
    return f"Saved {saved.name}. {picture.description}"


def _chart(arguments: dict[str, Any]) -> Chart:
    kind, labels = str(arguments["kind"]), [shortened(label, 60) for label in arguments["labels"]]
    series = [
        Series(shortened(one.get("name"), 60), [None if v is None else float(v) for v in one["values"]])
        for one in arguments["series"]
    ]
    for one in series:
        if len(one.values) != len(labels):
            raise ToolError(
                f"There are {len(labels)} labels, and “{one.name or 'the series'}” has {len(one.values)} values. Give one value for each label."
            )
        if any(v is not None and not (math.isfinite(v) and abs(v) <= _LARGEST) for v in one.values):
            raise ToolError("A value is too large to be drawn.")
    if all(v is None for one in series for v in one.values):
        raise ToolError("There are no values to draw.")
    if kind == "pie":
        if len(series) > 1:
            raise ToolError("A pie shows one series. Take bars to compare several.")
        if len(labels) > MOST_SLICES:
            raise ToolError(f"A pie has at most {MOST_SLICES} slices. Put the small ones together, or take bars.")
        if any((v or 0) < 0 for v in series[0].values) or not sum(v or 0 for v in series[0].values) > 0:
            raise ToolError(
                "A pie needs values of zero and more, with a sum above zero. Take bars for negative values."
            )
    return Chart(
        kind,
        needed(arguments, "title", "what the chart shows", 200),
        labels,
        series,
        shortened(arguments.get("unit"), 12),
    )


def described(chart: Chart) -> str:
    """The chart in words, for those who cannot see it."""
    parts = []
    for one in chart.series:
        listed = [
            f"{label} {number(v, chart.unit)}"
            for label, v in zip(chart.labels, one.values, strict=True)
            if v is not None
        ]
        parts.append(
            f"{one.name + ': ' if one.name else ''}{', '.join(listed[:30])}{' and more' if len(listed) > 30 else ''}"
        )
    names = {"bar": "Bar chart", "line": "Line chart", "pie": "Pie chart"}
    return f"{names[chart.kind]}. {'; '.join(parts)}."


def number(value: float, unit: str = "") -> str:
    """A value as people write it: 1,200 or 3.5, with its unit."""
    if value and abs(value) < 0.01:
        text = f"{value:.2g}"
    else:
        text = f"{value:,.2f}".rstrip("0").rstrip(".") if value != round(value) else f"{value:,.0f}"
    text = text.replace("-", "−")
    if unit in {"€", "$", "£"}:
        return f"−{unit}{text[1:]}" if text.startswith("−") else f"{unit}{text}"
    return f"{text}{unit}" if unit == "%" else f"{text} {unit}".strip()


def _head(picture: Picture, chart: Chart) -> float:
    """Title and legend; returns where the chart itself begins."""
    picture.text(_MARGIN, 42, fitting(chart.title, WIDTH - 2 * _MARGIN, 20, bold=True), 20, _INK, bold=True)
    if chart.kind == "pie" or not (len(chart.series) > 1 or chart.series[0].name):
        return 74.0
    x, room = float(_MARGIN), (WIDTH - 2 * _MARGIN) / len(chart.series) - 34
    for place, one in enumerate(chart.series):
        name = fitting(one.name or f"Series {place + 1}", room)
        picture.rectangle(x, 60, 12, 12, _COLOURS[place])
        picture.text(x + 18, 71, name, 13, _SOFT)
        x += wide(name) + 44
    return 98.0


@dataclass(frozen=True)
class _Scale:
    low: float
    high: float
    step: float
    top: float
    bottom: float

    def y(self, value: float) -> float:
        return self.bottom - (value - self.low) / (self.high - self.low) * (self.bottom - self.top)


def _scale(chart: Chart, top: float, bottom: float) -> _Scale:
    """From zero (always: bars would lie otherwise, and lines exaggerate) to round numbers around the values."""
    values = [v for one in chart.series for v in one.values if v is not None]
    low, high = min(0.0, *values), max(0.0, *values)
    high = high if high > low else low + 1
    raw = (high - low) / 5
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = next(magnitude * factor for factor in (1, 2, 2.5, 5, 10) if magnitude * factor >= raw * 0.999)
    return _Scale(math.floor(low / step) * step, math.ceil(high / step) * step, step, top, bottom)


def _axes(picture: Picture, chart: Chart, top: float) -> tuple[_Scale, float, float]:
    """Grid and labels; returns the scale, the left edge, and the width that each label has."""
    scale = _scale(chart, top, HEIGHT - 62.0)
    ticks = [scale.low + scale.step * place for place in range(round((scale.high - scale.low) / scale.step) + 1)]
    names = [number(0.0 if abs(tick) < scale.step / 1e6 else tick, chart.unit) for tick in ticks]
    left = _MARGIN + max(wide(name, 12) for name in names) + 12
    for tick, name in zip(ticks, names, strict=True):
        y = scale.y(tick)
        picture.line([(left, y), (WIDTH - _MARGIN, y)], _SOFT if abs(tick) < scale.step / 1e6 else _GRID)
        picture.text(left - 10, y + 4, name, 12, _SOFT, "end")
    each = (WIDTH - _MARGIN - left) / len(chart.labels)
    longest = max(wide(label, 12) for label in chart.labels)
    every = max(1, math.ceil(min(longest + 10, 96) / each))
    for place, label in enumerate(chart.labels):
        if place % every == 0:
            text = fitting(label, max(each * every - 8, 24), 12)
            picture.text(left + each * (place + 0.5), HEIGHT - 36, text, 12, _SOFT, "middle")
    return scale, left, each


def _bars(picture: Picture, chart: Chart, top: float) -> None:
    scale, left, each = _axes(picture, chart, top)
    group = min(each * 0.74, 72.0 * len(chart.series))
    width = group / len(chart.series)
    gap = min(2.0, width * 0.1) if len(chart.series) > 1 else 0.0
    shows_values = width >= 34 and len(chart.labels) * len(chart.series) <= 24
    for place, label in enumerate(chart.labels):
        for order, one in enumerate(chart.series):
            value = one.values[place]
            if value is None:
                continue
            x = left + each * (place + 0.5) - group / 2 + width * order
            above, below = sorted((scale.y(value), scale.y(0)))
            said = f"{label}{f', {one.name}' if one.name else ''}: {number(value, chart.unit)}"
            picture.rectangle(x + gap / 2, above, width - gap, max(below - above, 0.5), _COLOURS[order], said)
            if shows_values and wide(number(value), 11) <= each / len(chart.series):
                picture.text(x + width / 2, above - 6 if value >= 0 else below + 14, number(value), 11, _INK, "middle")


def _lines(picture: Picture, chart: Chart, top: float) -> None:
    scale, left, each = _axes(picture, chart, top)
    for order, one in enumerate(chart.series):
        run: list[tuple[float, float]] = []
        for place, value in enumerate([*one.values, None]):
            if value is not None:
                run.append((left + each * (place + 0.5), scale.y(value)))
                continue
            if len(run) > 1:
                picture.line(run, _COLOURS[order], 2.5, one.name)
            run = []
        for place, value in enumerate(one.values):
            if value is not None:
                said = f"{chart.labels[place]}{f', {one.name}' if one.name else ''}: {number(value, chart.unit)}"
                picture.dot(
                    (left + each * (place + 0.5), scale.y(value)),
                    3.5 if len(chart.labels) <= 30 else 2,
                    _COLOURS[order],
                    said,
                )


def _pie(picture: Picture, chart: Chart, top: float) -> None:
    values = [value or 0.0 for value in chart.series[0].values]
    total, begin = math.fsum(values), 0.0
    radius = (HEIGHT - top - _MARGIN) / 2
    centre = (_MARGIN + radius + 24, top + radius)
    x, height = centre[0] + radius + 56, min(34.0, (HEIGHT - top - _MARGIN) / len(values))
    first = centre[1] - height * len(values) / 2
    for place, (label, value) in enumerate(zip(chart.labels, values, strict=True)):
        share = value / total
        said = f"{number(value, chart.unit)} ({number(round(share * 100, 1), '%')})"
        if share:
            inset = min(0.0015, share / 4) if share < 1 else 0.0
            picture.slice(
                centre, radius, radius * 0.58, begin + inset, begin + share - inset, _COLOURS[place], f"{label}: {said}"
            )
        begin += share
        y = first + height * (place + 0.5)
        picture.rectangle(x, y - 7, 14, 14, _COLOURS[place])
        room = WIDTH - _MARGIN - x - 24 - wide(said, 13) - 12
        picture.text(x + 24, y + 5, fitting(label, room, 14), 14, _INK)
        picture.text(WIDTH - _MARGIN, y + 5, said, 13, _SOFT, "end")
    picture.text(
        centre[0],
        centre[1] + 8,
        fitting(number(total, chart.unit), radius, 24, bold=True),
        24,
        _INK,
        "middle",
        bold=True,
    )


_KINDS: dict[str, Callable[[Picture, Chart, float], None]] = {"bar": _bars, "line": _lines, "pie": _pie}


def _functions(setup: Setup) -> list[ToolFunction]:
    value = {"type": ["number", "null"]}
    series = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "values": {"type": "array", "items": value, "minItems": 1, "maxItems": MOST_LABELS},
        },
        "required": ["values"],
        "additionalProperties": False,
    }
    return [
        function(
            "save_chart",
            "Draw a chart (bar, line or pie) as a picture, so that the person can download it. Bars compare, lines show a course, a pie shows shares.",
            {
                "kind": {"type": "string", "enum": list(_KINDS)},
                "title": {"type": "string", "description": "What the chart shows"},
                "labels": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": MOST_LABELS},
                "series": {
                    "type": "array",
                    "items": series,
                    "minItems": 1,
                    "maxItems": MOST_SERIES,
                    "description": "One value for each label",
                },
                "unit": {"type": "string", "description": "Such as €, %, km"},
                "format": {"type": "string", "enum": list(_TYPES)},
                "name": {"type": "string", "description": "The file's name"},
            },
            _save,
            required=("kind", "title", "labels", "series"),
            effect="writes",
        )
    ]


def colours() -> Sequence[str]:
    """The colours of series, in order."""
    return _COLOURS


TOOL = Tool(
    key="charts",
    name="Charts",
    description="Draws bar, line and pie charts as pictures (SVG or PNG).",
    icon="chart-column",
    effect="writes",
    functions=_functions,
)
