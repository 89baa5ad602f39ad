"""A picture of rectangles, lines, slices and text, written as SVG or drawn as PNG. Both look the same."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Literal

from PIL import Image, ImageDraw, ImageFont

FONTS = Path(__file__).parent / "fonts"
SCALE = 2
"""Pixels of a PNG for one unit of the picture; shapes are drawn larger still and made smooth by shrinking."""
_SMOOTH = 2
_FAMILY = "Inter, 'Segoe UI', 'DejaVu Sans', Helvetica, Arial, sans-serif"
Anchor = Literal["start", "middle", "end"]
Point = tuple[float, float]


@dataclass(frozen=True)
class Text:
    """A line of text; `y` is its base line."""

    x: float
    y: float
    text: str
    size: float
    colour: str
    anchor: Anchor = "start"
    bold: bool = False


@dataclass(frozen=True)
class Shape:
    """A filled polygon, or with a `width` an open line through the points."""

    points: Sequence[Point]
    colour: str
    width: float = 0.0
    label: str = ""
    """What a person hears or sees when pointing at it; in SVG only."""


@dataclass
class Picture:
    """A picture with a title and a description for those who cannot see it."""

    width: int
    height: int
    title: str
    description: str
    background: str = "#ffffff"
    parts: list[Text | Shape] = field(default_factory=list)

    def rectangle(self, x: float, y: float, width: float, height: float, colour: str, label: str = "") -> None:
        """A filled rectangle."""
        corners = ((x, y), (x + width, y), (x + width, y + height), (x, y + height))
        self.parts.append(Shape(corners, colour, label=label))

    def line(self, points: Sequence[Point], colour: str, width: float = 1.0, label: str = "") -> None:
        """A line through points."""
        self.parts.append(Shape(points, colour, width, label))

    def slice(
        self, centre: Point, outer: float, inner: float, begin: float, end: float, colour: str, label: str = ""
    ) -> None:
        """A slice of a ring; angles in turns, from the top, clockwise."""
        steps = max(2, math.ceil((end - begin) * min(180, 12 + outer * 3)))
        angles = [(begin + (end - begin) * step / steps) * 2 * math.pi for step in range(steps + 1)]
        edge = [(centre[0] + outer * math.sin(one), centre[1] - outer * math.cos(one)) for one in angles]
        back = [(centre[0] + inner * math.sin(one), centre[1] - inner * math.cos(one)) for one in reversed(angles)]
        self.parts.append(Shape([*edge, *back] if inner else [*edge, centre], colour, label=label))

    def dot(self, centre: Point, radius: float, colour: str, label: str = "") -> None:
        """A filled circle."""
        self.slice(centre, radius, 0, 0, 1, colour, label)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float = 13,
        colour: str = "#1f2033",
        anchor: Anchor = "start",
        *,
        bold: bool = False,
    ) -> None:
        """A line of text."""
        self.parts.append(Text(x, y, text, size, colour, anchor, bold))

    def svg(self) -> bytes:
        """As SVG, with title and description. What comes from outside is escaped."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" width="{self.width}" height="{self.height}" '
            f'role="img" aria-labelledby="title desc" font-family="{_FAMILY}">\n'
            f'<title id="title">{_clean(self.title)}</title>\n<desc id="desc">{_clean(self.description)}</desc>\n'
            f'<rect width="100%" height="100%" fill="{self.background}"/>\n'
        )
        return (head + "\n".join(_written(part) for part in self.parts) + "\n</svg>\n").encode()

    def png(self) -> bytes:
        """As PNG, with the title and the description as its text."""
        from PIL.PngImagePlugin import PngInfo  # only for PNG

        large = SCALE * _SMOOTH
        image = Image.new("RGB", (self.width * large, self.height * large), self.background)
        draw = ImageDraw.Draw(image)
        for part in self.parts:
            if isinstance(part, Shape):
                _draw_shape(draw, part, large)
        image = image.resize((self.width * SCALE, self.height * SCALE), Image.Resampling.BOX)
        draw = ImageDraw.Draw(image)
        for part in self.parts:
            if isinstance(part, Text):
                place = (part.x * SCALE, part.y * SCALE)
                anchor = {"start": "ls", "middle": "ms", "end": "rs"}[part.anchor]
                draw.text(place, part.text, part.colour, _font(part.size * SCALE, bold=part.bold), anchor)
        notes, content = PngInfo(), io.BytesIO()
        notes.add_itxt("Title", self.title)
        notes.add_itxt("Description", self.description)
        image.save(content, "PNG", optimize=True, pnginfo=notes)
        return content.getvalue()


def wide(text: str, size: float = 13, *, bold: bool = False) -> float:
    """How wide a line of text is."""
    return float(_font(size, bold=bold).getlength(text))


def fitting(text: str, width: float, size: float = 13, *, bold: bool = False) -> str:
    """The text, shortened with an ellipsis until it fits."""
    if wide(text, size, bold=bold) <= width:
        return text
    while text and wide(f"{text}…", size, bold=bold) > width:
        text = text[:-1]
    return f"{text.rstrip()}…"


@lru_cache(maxsize=64)
def _font(size: float, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(FONTS / name, size, layout_engine=ImageFont.Layout.BASIC)


def _written(part: Text | Shape) -> str:
    if isinstance(part, Text):
        weight = ' font-weight="600"' if part.bold else ""
        return (
            f'<text x="{part.x:.1f}" y="{part.y:.1f}" font-size="{part.size:g}" fill="{part.colour}" '
            f'text-anchor="{part.anchor}"{weight}>{_clean(part.text)}</text>'
        )
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in part.points)
    label = f"<title>{_clean(part.label)}</title>" if part.label else ""
    if part.width:
        style = f'fill="none" stroke="{part.colour}" stroke-width="{part.width:g}" stroke-linejoin="round" stroke-linecap="round"'
        return f'<polyline points="{points}" {style}>{label}</polyline>'
    return f'<polygon points="{points}" fill="{part.colour}">{label}</polygon>'


def _draw_shape(draw: ImageDraw.ImageDraw, shape: Shape, scale: int) -> None:
    points = [(x * scale, y * scale) for x, y in shape.points]
    if shape.width:
        draw.line(points, shape.colour, max(1, round(shape.width * scale)), joint="curve")
    else:
        draw.polygon(points, shape.colour)


def _clean(text: str) -> str:
    return escape("".join(letter for letter in text if letter.isprintable()))
