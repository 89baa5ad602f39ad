"""Puts an answer together from sentences of the input and from what tools returned."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from mindloom.engine.extractive.asking import Request, Section
from mindloom.engine.extractive.reading import closest, facts, keywords, sentences, summarise

CLOSING = (
    "This was put together by Mindloom's offline model, which picks and arranges what it is given; "
    "it is not a language model."
)
_PASSAGE = re.compile(r"^\s*\[(\d{1,3})\]\s*(.+?)(?=^\s*\[\d{1,3}\]|\Z)", re.MULTILINE | re.DOTALL)
_ABOUT = re.compile(r"^[^\n.?!]{0,60}?\b(?:about|on|for|regarding)\s+(?=\w)", re.IGNORECASE)
_QUOTED = r"quote|evidence|passage"
"""The titles of sections that passages are quoted in."""
_LONGEST_TOPIC = 60
_LONGEST_RESULT = 1500
_SHORT_RESULT = 120
_QUOTES = 3
_BULLETS = 5
_SUMMARY = 3
_COLUMN = 80


@dataclass(frozen=True)
class Result:
    """What a tool returned."""

    tool: str
    arguments: str
    text: str
    failed: bool = False
    saved: bool = False
    is_empty: bool = False
    """Whether it was looked for something that is not there."""


@dataclass(frozen=True)
class Material:
    """All there is to write from."""

    request: Request
    results: Sequence[Result] = field(default=())

    @cached_property
    def passages(self) -> list[tuple[str, str]]:
        """Numbered passages that a search returned: number and text."""
        return [
            (n, " ".join(text.split())) for r in self.results if not r.failed for n, text in _PASSAGE.findall(r.text)
        ]

    @cached_property
    def text(self) -> str:
        """What can be summarised: the input's text and what tools fetched."""
        fetched = [r.text for r in self.results if not r.failed and _is_prose(r.text) and not _PASSAGE.search(r.text)]
        return "\n\n".join(part for part in (self.request.material, *fetched) if part)

    @cached_property
    def topic(self) -> str:
        """What it is about, in a few words."""
        first = sentences(self.text or _ABOUT.sub("", self.request.text.strip()))[:1]
        title = first[0].rstrip(".:!?") if first else ""
        if len(title) > _LONGEST_TOPIC:
            title = " ".join(keywords(self.text or self.request.text, 4))
        return title[:1].upper() + title[1:] or "Result"


def answer(request: Request, results: Sequence[Result] = ()) -> str:
    """The whole answer, with its closing line."""
    return f"{body(request, results)}\n\n*{CLOSING}*"


def body(request: Request, results: Sequence[Result] = ()) -> str:
    """The answer without the closing line, as it would be saved in a file."""
    material = Material(request, results)
    parts: list[str] = []
    returned = _returned(material)
    if request.sections:
        parts += [f"## {section.title}\n\n{_section(section, material)}" for section in request.sections]
        if returned and not any(
            _wants(section, "result|calculat|number|figure|data|table") for section in request.sections
        ):
            parts.append(f"## Results\n\n{returned}")
        if material.passages and not any(_wants(section, _QUOTED) for section in request.sections):
            parts.append(f"## From the documents\n\n{_quotes(material)}")
    else:
        parts += [part for part in (returned, _quotes(material), *_free(material)) if part]
    parts += [result.text for result in results if result.saved]
    return "\n\n".join(parts) or _nothing(request)


def file(request: Request, results: Sequence[Result], form: str) -> str:
    """The answer as the content of a file: a table for CSV, an object for JSON, else the text."""
    material = Material(request, results)
    found = facts(material.text or request.text).rows()
    if form == "csv":
        return _rows(results) or request.csv_text or _as_csv([["What", "Found"], *map(list, found)])
    if form == "json":
        points = summarise(material.text, _BULLETS)
        return json.dumps(
            {"topic": material.topic, "points": points, "facts": dict(found)}, ensure_ascii=False, indent=2
        )
    return body(request, results)


def _rows(results: Sequence[Result]) -> str:
    """The first table that a tool returned, as CSV."""
    for result in results:
        lines = [line.strip().strip("|") for line in result.text.splitlines() if line.lstrip().startswith("|")]
        rows = [[cell.strip() for cell in line.split("|")] for line in lines if set(line) - set("|:- ")]
        if len(rows) > 1:
            return _as_csv(rows)
    return ""


def _as_csv(rows: Sequence[Sequence[str]]) -> str:
    target = io.StringIO()
    csv.writer(target, lineterminator="\n").writerows(rows)
    return target.getvalue()


def _free(material: Material) -> list[str]:
    """An answer in no prescribed form: what the person asks for, else a summary with facts."""
    request, text = material.request, material.text
    parts: list[str] = []
    if not text:
        return [] if material.results else [_nothing(request)]
    question = request.ask.rstrip().endswith("?")
    if question:
        found = closest(sentences(text), request.ask, _QUOTES)
        parts.append("\n".join(f"> {sentence}" for sentence in found) or "The text does not answer this question.")
    if request.mentions(r"\boutline|agenda|structure\b"):
        parts.append(f"## Outline\n\n{_outline(material)}")
    if request.mentions(r"\b(table|tabular)\b"):
        parts.append(f"## Table\n\n{_fact_table(material)}")
    if request.mentions(r"\b(bullets?|key points?|highlights|list)\b"):
        parts.append(f"## Key points\n\n{_points(material)}")
    if request.mentions(r"\b(action|to-?do|next step)s?"):
        parts.append(f"## Next steps\n\n{_actions(material)}")
    if not parts or request.mentions(r"\bsummar"):
        parts.insert(0, f"## Summary\n\n{_summary(material)}")
    rows = facts(text).rows()
    if rows and not question and not request.mentions(r"\b(table|tabular)\b"):
        parts.append("## Key facts\n\n" + "\n".join(f"- **{label}:** {values}" for label, values in rows))
    return parts


def _nothing(request: Request) -> str:
    ask = " ".join(request.ask.split())
    return (
        f"You asked: “{ask}”\n\nThere is no text in the input to work on, and writing freely takes a language model. "
        "Paste the text that the answer should come from, or choose another model for this agent."
    )


def _section(section: Section, material: Material) -> str:
    for pattern, write in _WRITERS:
        if _wants(section, pattern):
            return write(material) or _missing(section, material)
    wanted = f"{section.title} {section.hint}"
    found = closest(sentences(material.text or material.request.text), wanted, _SUMMARY)
    return "\n".join(f"- {sentence}" for sentence in found) or _missing(section, material)


def _wants(section: Section, pattern: str) -> bool:
    """The title decides; the hint only where the title says nothing."""
    return re.search(rf"\b(?:{pattern})", section.title, re.IGNORECASE) is not None


def _missing(section: Section, material: Material) -> str:
    if not material.text and material.passages:
        return "*No text was given to take this from. What the documents say is quoted at the end.*"
    if not material.text and any(not result.failed and not result.is_empty for result in material.results):
        return "*The tools returned figures and no text to take this from.*"
    if not material.text:
        hint = f": {section.hint}" if section.hint else ""
        return (
            f"*To be written{hint}. The input names the topic, “{material.topic}”, and gives no text to take it from.*"
        )
    return "*The input says nothing about this.*"


def _summary(material: Material) -> str:
    return " ".join(summarise(material.text, _SUMMARY))


def _points(material: Material) -> str:
    return "\n".join(f"- {sentence}" for sentence in summarise(material.text, _BULLETS))


def _matching(pattern: str) -> Callable[[Material], str]:
    def write(material: Material) -> str:
        found = [s for s in sentences(material.text) if re.search(pattern, s, re.IGNORECASE)]
        return "\n".join(f"- {sentence}" for sentence in dict.fromkeys(found[: _BULLETS + 2]))

    return write


_actions = _matching(
    r"\b(should|must|needs? to|have to|has to|will|please|to-?do|action|asap|deadline|"
    r"by (?:monday|tuesday|wednesday|thursday|friday|tomorrow|next)|prepare|send|schedule|follow up|responsible)\b"
)


def _fact_table(material: Material) -> str:
    rows = facts(material.text or material.request.text).rows()
    if not rows:
        return ""
    return "\n".join(
        ["| What | Found in the input |", "| --- | --- |", *(f"| {label} | {values} |" for label, values in rows)]
    )


def _people(material: Material) -> str:
    found = facts(material.text or material.request.text)
    return "\n".join(f"- {value}" for value in (*found.names, *found.emails))


def _outline(material: Material) -> str:
    """The weightiest sentences as points, each with the words it turns on."""
    points = summarise(material.text, _BULLETS)
    return "\n".join(
        f"{number}. {', '.join(keywords(sentence, 3)).capitalize()}\n   - {sentence}"
        for number, sentence in enumerate(points, 1)
    )


def _title(material: Material) -> str:
    return f"**{material.topic}**"


def _draft(material: Material) -> str:
    summary = _summary(material)
    return f"Hello,\n\n{summary}\n\nKind regards" if summary else ""


def _sources(material: Material) -> str:
    found = facts(f"{material.request.text}\n{material.text}")
    quoted = [f"[{number}] {text[:_COLUMN]} …" for number, text in material.passages]
    return "\n".join(f"- {value}" for value in (*quoted, *found.links))


def _quotes(material: Material) -> str:
    """The sentences of retrieved passages that answer best, each with its passage's number."""
    numbered = {sentence: number for number, text in reversed(material.passages) for sentence in sentences(text)}
    best = closest(numbered, material.request.ask, _QUOTES) or list(numbered)[:_QUOTES]
    return "\n\n".join(f"> {sentence} [{numbered[sentence]}]" for sentence in best)


def _returned(material: Material) -> str:
    """What tools returned, where it is a result and not a text to read."""
    lines = []
    for result in material.results:
        if result.failed:
            lines.append(f"- `{result.tool}` did not work: {result.text.removeprefix('Error: ')}")
        elif result.saved or _PASSAGE.search(result.text) or _is_prose(result.text):
            continue
        elif "\n" not in result.text.strip() and len(result.text) <= _SHORT_RESULT:
            lines.append(f"- {_shown(result)}**{result.text.strip()}**")
        else:
            lines.append(f"\n{_clip(result.text.strip())}\n")
    return "\n".join(lines).strip()


def _shown(result: Result) -> str:
    """What was asked, unless the answer repeats it or is none."""
    is_said = not result.arguments or result.is_empty or result.arguments in result.text
    return "" if is_said else f"{result.arguments} = "


def _clip(text: str) -> str:
    return text if len(text) <= _LONGEST_RESULT else text[:_LONGEST_RESULT].rsplit("\n", 1)[0] + "\n…"


def _is_prose(text: str) -> bool:
    """Whether a result is to be read rather than shown: several sentences that are no table and no data."""
    if text.lstrip().startswith(("|", "{", "[")):
        return False
    return len(re.findall(r"[a-z][.!?](?:\s|$)", text)) > 1


_dated = _matching(
    r"\b(\d{4}|\d{1,2}[./]\d{1,2}|january|february|march|april|may \d|june|july|august|september|october|november|"
    r"december|monday|tuesday|wednesday|thursday|friday|week|quarter|Q[1-4])\b"
)
_risks = _matching(
    r"\b(risk|concern|issue|problem|delay|however|but|fail|lack|late|error|complain|worry|difficult|critical|threat|"
    r"unclear)"
)
_decisions = _matching(r"\b(decid|agree|approv|chose|will go with|confirmed|signed off)")
_open_questions = _matching(r"\?|\b(unclear|tbd|to be decided|open|unknown|not yet)\b")


def _figures(material: Material) -> str:
    return "\n\n".join(part for part in (_returned(material), _fact_table(material)) if part)


_WRITERS: tuple[tuple[str, Callable[[Material], str]], ...] = (
    (r"title|headline|subject|name of", _title),
    (r"summar|overview|abstract|tl;?dr|executive|brief|in short|introduction|context|background", _summary),
    (r"key (?:point|finding|message|takeaway)|highlight|finding|takeaway|main point|insight|bullet|strength", _points),
    (r"actions?|next step|to-?dos?|tasks?|recommend|follow-?up|owner", _actions),
    (r"date|timeline|deadline|schedule|milestone|when", _dated),
    (r"risk|concern|issue|problem|objection|weakness|challenge|blocker|threat", _risks),
    (r"decision|agreed|approv", _decisions),
    (r"people|participant|attendee|stakeholder|contact|who", _people),
    (r"(?:open )?questions?|unclear|unknown", _open_questions),
    (r"outline|structure|agenda", _outline),
    (r"sources?|references?|citations?|links?", _sources),
    (_QUOTED, _quotes),
    (r"result|calculation", lambda material: _returned(material) or _fact_table(material)),
    (r"facts?|figures?|numbers?|data|amounts?|table|metrics?|budget|costs?", _figures),
    (r"draft|e-?mail|reply|message|letter|post|body|response", _draft),
)
