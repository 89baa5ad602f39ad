"""The picture of a team: where its threads run, as numbers for an SVG of the page."""

from __future__ import annotations

from dataclasses import dataclass

WIDTH, _ROW, _MARGIN, _LEAST = 240, 26, 14, 92
_IN, _OUT = 12, 228
_MOST_DRAWN = 6


@dataclass(frozen=True)
class Spot:
    """A place in the picture."""

    x: float
    y: float


@dataclass(frozen=True)
class Thread:
    """A line. `kind` is "on" for work that is done, "back" for what comes back, "off" for ways that are not taken."""

    path: str
    kind: str


@dataclass(frozen=True)
class Diagram:
    """The whole picture."""

    height: int
    begin: Spot
    end: Spot
    leader: Spot
    members: tuple[Spot, ...]
    threads: tuple[Thread, ...]

    @property
    def width(self) -> int:
        """How wide all of them are."""
        return WIDTH


def draw(kind: str, members: int = 3) -> Diagram:
    """A team of this type with that many members; more than fit are not all drawn."""
    shown = min(max(members, 2), _MOST_DRAWN)
    height = max(_LEAST, _ROW * shown + 2 * _MARGIN)
    middle = height / 2
    rows = [middle + _ROW * (place - (shown - 1) / 2) for place in range(shown)]
    begin, end = Spot(_IN, middle), Spot(_OUT, middle)
    if kind == "collaborate":
        leader, spots = Spot(182, middle), tuple(Spot(106, y) for y in rows)
        threads = [_curve(begin, spot, "on") for spot in spots] + [_curve(spot, leader, "on") for spot in spots]
        threads.append(_curve(leader, end, "on"))
    elif kind == "route":
        leader, spots = Spot(66, middle), tuple(Spot(154, y) for y in rows)
        chosen = spots[0]
        threads = [_curve(leader, spot, "off") for spot in spots[1:]]
        threads += [_curve(begin, leader, "on"), _curve(leader, chosen, "on"), _curve(chosen, end, "on")]
    else:
        leader, spots = Spot(66, middle), tuple(Spot(154, y) for y in rows)
        threads = [_curve(leader, spot, "on", lift=-4) for spot in spots]
        threads += [_curve(spot, leader, "back", lift=4) for spot in spots]
        threads += [_curve(begin, leader, "on"), _below(leader, end, height)]
    return Diagram(height, begin, end, leader, spots, tuple(threads))


def _curve(start: Spot, to: Spot, kind: str, lift: float = 0) -> Thread:
    half = (start.x + to.x) / 2
    one, other = start.y + lift, to.y + lift
    return Thread(f"M{start.x:g} {one:g}C{half:g} {one:g} {half:g} {other:g} {to.x:g} {other:g}", kind)


def _below(leader: Spot, end: Spot, height: int) -> Thread:
    """From the leader under all members to the answer."""
    low = height - 4
    return Thread(
        f"M{leader.x:g} {leader.y:g}C{leader.x:g} {low:g} {leader.x + 30:g} {low:g} {leader.x + 60:g} {low:g}"
        f"H{end.x - 34:g}C{end.x - 8:g} {low:g} {end.x:g} {low - 14:g} {end.x:g} {end.y:g}",
        "on",
    )
