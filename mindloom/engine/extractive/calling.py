"""Fills the tools that are offered with what the input holds.

A tool is recognised by its name, its description and the names of its parameters, so tools of any catalogue can be
filled as long as they are named sensibly. A tool that cannot be filled completely is not called.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mindloom.engine.extractive.asking import Request
from mindloom.engine.extractive.reading import DATE, URL, keywords

_TIMES, _DIVIDED = "\u00d7", "\u00f7"
_OPERAND = rf"(?:\d[\d,]*(?:\.\d+)?|\((?:[\d\s.,+*/^{_TIMES}{_DIVIDED}()-])+\))"
_EXPRESSION = re.compile(
    rf"(?<![\w/.-]){_OPERAND}"
    rf"(?:\s*(?:\*\*|[+*{_TIMES}{_DIVIDED}^])\s*{_OPERAND}|\s+[-/x]\s+{_OPERAND}"
    rf"|(?<=\))\s*[-/]\s*{_OPERAND}|/{_OPERAND}(?![/\d]))+(?![\w/-])"
)
_PERCENT_OF = re.compile(r"(\d+(?:\.\d+)?)\s?(?:%|percent) of (?:[$€£]\s?)?(\d[\d,]*(?:\.\d+)?)", re.IGNORECASE)
_NOW = re.compile(
    r"\b(today|now|tomorrow|yesterday|current (?:date|time|day|week|month|year)|what (?:time|day|date) is it|"
    r"this (?:week|month|year))\b",
    re.IGNORECASE,
)
_ZONE = re.compile(r"\b(?:UTC|GMT|(?:Africa|America|Asia|Atlantic|Australia|Europe|Pacific)/[A-Z]\w+(?:/\w+)?)\b")
_ISO = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_BETWEEN = re.compile(r"\b(between|from|until|till|difference|how (?:many|long)|days)\b", re.IGNORECASE)
_SHIFT = re.compile(
    r"\b(\d{1,5})\s*(days?|weeks?)\s*(after|from|before|earlier|later|past)?"
    r"|\b(?:plus|add|minus|subtract)\s+(\d{1,5})\s*(days?|weeks?)",
    re.IGNORECASE,
)
_MOST_LINKS = 3
_MOST_EXPRESSIONS = 5
_DAYS = {"day": 1, "week": 7}
_QUERY_CHARACTERS = 200
_OPERATIONS = {
    "sum": r"\b(sum|total|totals|overall|altogether|how much)\b",
    "mean": r"\b(average|mean|avg)\b",
    "count": r"\b(count|how many|number of)\b",
    "max": r"\b(max|maximum|highest|largest|most)\b",
    "min": r"\b(min|minimum|lowest|smallest|least)\b",
}
_SAME_OPERATION = {"mean": ("mean", "average", "avg"), "sum": ("sum", "total")}


@dataclass(frozen=True)
class Offered:
    """A tool that the model may call."""

    name: str
    description: str
    parameters: dict[str, Any]

    def has(self, *names: str) -> bool:
        """Whether it takes all of these parameters."""
        return set(names) <= self.properties.keys()

    @property
    def properties(self) -> dict[str, dict[str, Any]]:
        """Its parameters and their schemas."""
        found: dict[str, dict[str, Any]] = self.parameters.get("properties") or {}
        return found

    def is_about(self, pattern: str) -> bool:
        """Whether its name or description speaks of something."""
        return re.search(pattern, f"{self.name.replace('_', ' ')} {self.description}", re.IGNORECASE) is not None

    def fits(self, arguments: dict[str, Any]) -> bool:
        """Whether the arguments are known and complete."""
        return set(self.parameters.get("required") or ()) <= arguments.keys() <= self.properties.keys()


Call = tuple[str, dict[str, Any]]
Filler = Callable[[Offered, Request], Iterator[dict[str, Any]]]


def calls(request: Request, tools: Sequence[Offered]) -> list[Call]:
    """The calls that the input fills, each once. Saving is not among them: it comes when there is something to save."""
    found: list[Call] = []
    for tool in tools:
        if is_save(tool):
            continue
        for filler in _FILLERS:
            filled = [(tool.name, arguments) for arguments in filler(tool, request) if tool.fits(arguments)]
            if filled:
                found += [call for call in filled if call not in found]
                break
    return found


def is_save(tool: Offered) -> bool:
    """Whether the tool stores a file of the run."""
    return tool.has("name", "content") and tool.is_about(r"\b(save|store|export|write|create)\b")


def save_call(tool: Offered, request: Request, title: str, write: Callable[[str], str]) -> Call:
    """The call that saves the answer, in the format that was asked for if the tool knows it."""
    stem = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "result"
    arguments: dict[str, Any] = {"name": stem}
    known = [str(value) for value in tool.properties.get("format", {}).get("enum", ())]
    wanted = _format(request)
    if tool.has("format"):
        fallback = known[0] if known else wanted[0]
        arguments["format"] = next((value for value in known if value.lower() in wanted), fallback)
    else:
        arguments["name"] = f"{stem}.md"
    return tool.name, arguments | {"content": write(str(arguments.get("format", "markdown")))}


def _format(request: Request) -> tuple[str, ...]:
    asked = f"{request.ask}\n{request.instructions}".lower()
    for names in (("csv",), ("json",), ("text", "txt", "plain")):
        if re.search(rf"\b(as|in|into|a|an|the)\s+(an?\s+)?\.?({'|'.join(names)})\b", asked):
            return names
    return ("markdown", "md")


def expressions(text: str) -> list[str]:
    """The arithmetic that a text holds, as a calculator reads it."""
    found = [f"{whole.replace(',', '')} * {part} / 100" for part, whole in _PERCENT_OF.findall(text)]
    for match in _EXPRESSION.finditer(DATE.sub(" ", text)):
        plain = match[0].replace(_TIMES, "*").replace(_DIVIDED, "/").replace("^", "**").replace(",", "")
        found.append(re.sub(r"(?<=[\d)])\s+x\s+(?=[\d(])", " * ", plain).strip())
    return list(dict.fromkeys(found))[:_MOST_EXPRESSIONS]


def _calculation(tool: Offered, request: Request) -> Iterator[dict[str, Any]]:
    parameter = next((name for name in ("expression", "formula", "calculation") if tool.has(name)), None)
    if parameter:
        yield from ({parameter: expression} for expression in expressions(request.text))


def _now(tool: Offered, request: Request) -> Iterator[dict[str, Any]]:
    if not tool.is_about(r"\b(current|now|today)\b") or tool.properties.keys() - {"timezone", "tz"}:
        return
    if not _NOW.search(request.ask):
        return
    parameter, zone = next(iter(tool.properties), None), _ZONE.search(request.text)
    if zone and parameter:
        yield {parameter: zone[0]}
    else:
        yield {parameter: "UTC"} if parameter and tool.parameters.get("required") else {}


def _difference(tool: Offered, request: Request) -> Iterator[dict[str, Any]]:
    pair = next(
        (names for names in (("start", "end"), ("from_date", "to_date"), ("date1", "date2")) if tool.has(*names)), None
    )
    dates = _ISO.findall(request.ask)
    if pair and len(dates) > 1 and _BETWEEN.search(request.ask):
        yield dict(zip(pair, dates[:2], strict=True))


def _shift(tool: Offered, request: Request) -> Iterator[dict[str, Any]]:
    date, shift = _ISO.search(request.ask), _SHIFT.search(request.ask)
    if not tool.has("date", "days") or date is None or shift is None:
        return
    number, unit = int(shift[1] or shift[4]), (shift[2] or shift[5]).lower().rstrip("s")
    back = (shift[3] or "").lower() in {"before", "earlier"} or re.search(
        r"\b(minus|subtract)\b", request.ask, re.IGNORECASE
    )
    yield {"date": date[0], "days": number * _DAYS[unit] * (-1 if back else 1)}


def _link(tool: Offered, request: Request) -> Iterator[dict[str, Any]]:
    parameter = next((name for name in ("url", "link", "address") if tool.has(name)), None)
    if parameter:
        yield from ({parameter: link} for link in dict.fromkeys(URL.findall(request.text)[:_MOST_LINKS]))


def _table(tool: Offered, request: Request) -> Iterator[dict[str, Any]]:
    parameter = next((name for name in ("csv_text", "csv") if tool.has(name)), None)
    if parameter is None or not request.csv_text:
        return
    table: dict[str, Any] = {parameter: request.csv_text}
    if tool.has("operation"):
        grouped = _aggregation(tool, request)
        if grouped:
            yield {**table, **grouped}
    elif tool.has("sort_by"):
        if request.mentions(r"\b(sort|order|rank|top|highest|lowest|largest|smallest|table)\b"):
            yield {**table, **_sorting(tool, request)}
    else:
        yield table


def _aggregation(tool: Offered, request: Request) -> dict[str, Any]:
    """Which column is added up by which other one: those that the person names, else the likely ones."""
    columns = _columns(request.csv_text)
    operation = next((name for name, pattern in _OPERATIONS.items() if request.mentions(pattern)), "")
    if not operation:
        return {}
    numbers = [name for name, numeric in columns.items() if numeric]
    groups = [name for name, numeric in columns.items() if not numeric]
    value = _named(numbers, request.ask) or (numbers[-1] if numbers else "")
    group = _named(groups, request.ask.partition(" by ")[2] or request.ask.partition(" per ")[2] or request.ask)
    group = group or (groups[0] if groups else "")
    known = [str(name) for name in tool.properties["operation"].get("enum", ())]
    same = _SAME_OPERATION.get(operation, (operation,))
    chosen = next((name for name in known if name.lower() in same), "" if known else same[0])
    arguments = {"group_by": group, "value": value, "operation": chosen}
    return {name: given for name, given in arguments.items() if given and tool.has(name)}


def _sorting(tool: Offered, request: Request) -> dict[str, Any]:
    columns = _columns(request.csv_text)
    numbers = [name for name, numeric in columns.items() if numeric]
    arguments: dict[str, Any] = {
        "sort_by": _named(list(columns), request.ask) or (numbers[-1] if numbers else next(iter(columns))),
        "descending": not request.mentions(r"\b(lowest|smallest|ascending|cheapest|first)\b"),
    }
    top = re.search(r"\b(?:top|first|highest|lowest|largest)\s+(\d{1,3})\b", request.ask, re.IGNORECASE)
    if top:
        arguments["limit"] = int(top[1])
    return {name: given for name, given in arguments.items() if tool.has(name)}


def _columns(text: str) -> dict[str, bool]:
    """The columns of a CSV text, and whether each holds numbers."""
    lines = text.splitlines()
    separator = max(",;\t", key=lines[0].count)
    header = [name.strip().strip('"') for name in lines[0].split(separator)]
    first = [cell.strip().strip('"') for cell in lines[1].split(separator)]
    number = re.compile(r"[-+$€£]?\s?\d[\d.,]*\s?[%€]?")
    return {name: number.fullmatch(cell) is not None for name, cell in zip(header, first, strict=False)}


def _named(names: list[str], text: str) -> str:
    return next((name for name in names if re.search(rf"\b{re.escape(name)}s?\b", text, re.IGNORECASE)), "")


def _search(tool: Offered, request: Request) -> Iterator[dict[str, Any]]:
    """Anything that takes one query: the question, or what a longer input is about."""
    required = tool.parameters.get("required") or ()
    parameter = next((name for name in ("query", "question", "search") if tool.has(name)), None)
    if parameter and set(required) <= {parameter}:
        ask = request.ask if len(request.ask) <= _QUERY_CHARACTERS else " ".join(keywords(request.text, 8))
        yield {parameter: ask or request.text[:_QUERY_CHARACTERS]}


_FILLERS: tuple[Filler, ...] = (_calculation, _now, _difference, _shift, _link, _table, _search)
