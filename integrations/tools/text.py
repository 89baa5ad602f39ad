"""Works on text exactly, where a language model would only be close: counts, compares, replaces, extracts, puts in order."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from typing import Any

from integrations.tools.base import Setup, Tool, function
from integrations.tools.wording import cut
from mindloom.engine.ports import ToolContext, ToolError, ToolFunction

MOST_CHARACTERS = 200_000
MOST_SHOWN = 30_000
MOST_COMPARED = 4_000
"""Lines of each side: comparing takes time that grows faster than the texts."""
_TEXT = {"type": "string", "description": "The text"}
_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec"
_PATTERNS = {
    "emails": re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24}\b"),
    "links": re.compile(r"https?://[^\s<>\"'\[\]{}|\\^`]{1,2000}"),
    "dates": re.compile(
        rf"\b(?:\d{{4}}-\d{{2}}-\d{{2}}|\d{{1,2}}[./]\d{{1,2}}[./]\d{{2,4}}"
        rf"|\d{{1,2}}\.? (?:{_MONTHS})\.? \d{{4}}|(?:{_MONTHS})\.? \d{{1,2}},? \d{{4}})\b"
    ),
    "numbers": re.compile(r"(?<![\w.,])[-+]?\d{1,15}(?:[.,]\d{1,15}){0,6}(?![\w])"),
    "phones": re.compile(r"(?<![\w.])(?:\+|00)\d{1,3}(?:[ ()/-]{0,2}\d{2,6}){2,5}(?!\w)"),
}
_CASES: dict[str, Callable[[str], str]] = {
    "upper": str.upper, "lower": str.lower, "title": lambda text: re.sub(r"[^\W\d_]+(?:['’][^\W\d_]+)*", lambda m: m[0][:1].upper() + m[0][1:].lower(), text),
    "sentence": lambda text: re.sub(r"(^|[.!?]\s+|\n\s*)(\w)", lambda match: match[1] + match[2].upper(), text.lower()),
}  # fmt: skip


def _text(arguments: dict[str, Any], name: str = "text") -> str:
    text = str(arguments.get(name) or "")
    if len(text) > MOST_CHARACTERS:
        raise ToolError(f"`{name}` has {len(text):,} characters; {MOST_CHARACTERS:,} are the most.")
    if not text.strip():
        raise ToolError(f"`{name}` is empty.")
    return text


def _count(arguments: dict[str, Any], context: ToolContext) -> str:
    text = _text(arguments)
    words = re.findall(r"\w+(?:['’-]\w+)*", text)
    sentences = len(re.findall(r"[.!?…]+(?=\s|$)", text)) or 1
    paragraphs = len([part for part in re.split(r"\n\s*\n", text.strip()) if part.strip()])
    solid = "".join(text.split())
    counted = (
        f"{len(text):,} characters ({len(solid):,} without spaces), {len(words):,} words, {sentences:,} sentences, "
        f"{len(text.splitlines()):,} lines, {paragraphs:,} paragraphs; about {max(1, round(len(words) / 220)):,} minutes to read."
    )
    term = str(arguments.get("term") or "").strip()
    if not term:
        return counted
    times = len(re.findall(re.escape(term), text, re.IGNORECASE))
    return f"{counted} “{term[:100]}” occurs {times:,} times."


def _compare(arguments: dict[str, Any], context: ToolContext) -> str:
    before, after = (_text(arguments, name).splitlines() for name in ("before", "after"))
    if len(before) > MOST_COMPARED or len(after) > MOST_COMPARED:
        raise ToolError(f"Texts of at most {MOST_COMPARED:,} lines can be compared.")
    if before == after:
        return "The two texts are the same."
    lines = list(difflib.unified_diff(before, after, "before", "after", lineterm="", n=2))
    added = sum(line.startswith("+") for line in lines[2:])
    removed = sum(line.startswith("-") for line in lines[2:])
    return cut(f"{added} lines added, {removed} removed.\n\n" + "\n".join(lines), MOST_SHOWN, "The difference")


def _replace(arguments: dict[str, Any], context: ToolContext) -> str:
    text, find = _text(arguments), str(arguments["find"])
    if not find or len(find) > 1_000:
        raise ToolError("Say in `find` what is to be replaced, in at most 1,000 characters.")
    pattern = re.compile(
        rf"(?<!\w){re.escape(find)}(?!\w)" if arguments.get("whole_words") else re.escape(find),
        0 if arguments.get("match_case") else re.IGNORECASE,
    )
    times = len(pattern.findall(text))
    replacement = str(arguments["replace_with"])
    if len(text) + times * len(replacement) > 2 * MOST_CHARACTERS:
        raise ToolError("The result would be too long. Replace less, or in a shorter text.")
    return cut(f"Replaced {times:,} times.\n\n{pattern.sub(lambda _: replacement, text)}", MOST_SHOWN)


def _extract(arguments: dict[str, Any], context: ToolContext) -> str:
    text, what = _text(arguments), str(arguments["what"])
    found = dict.fromkeys(match.rstrip(".,;:!?)") for match in _PATTERNS[what].findall(text))
    if not found:
        return f"The text holds no {what}."
    return cut(f"{len(found):,} different {what}:\n" + "\n".join(found), MOST_SHOWN, "The list")


def _case(arguments: dict[str, Any], context: ToolContext) -> str:
    return cut(_CASES[str(arguments["case"])](_text(arguments)), MOST_SHOWN)


def _lines(arguments: dict[str, Any], context: ToolContext) -> str:
    lines = [line.rstrip() for line in _text(arguments).splitlines()]
    todo = list(arguments["steps"])
    if "drop_empty" in todo:
        lines = [line for line in lines if line]
    if "trim" in todo:
        lines = [line.strip() for line in lines]
    if "drop_duplicates" in todo:
        lines = list({line.lower(): line for line in reversed(lines)}.values())[::-1]
    if "sort" in todo:
        lines.sort(key=_natural)
    if "reverse" in todo:
        lines.reverse()
    if "number" in todo:
        lines = [f"{number}. {line}" for number, line in enumerate(lines, 1)]
    return cut(f"{len(lines):,} lines.\n\n" + "\n".join(lines), MOST_SHOWN)


def _natural(line: str) -> list[tuple[int, int, str]]:
    """Sorts "item 9" before "item 10"."""
    return [
        (0, int(part), "") if part.isdecimal() and len(part) < 16 else (1, 0, part)
        for part in re.split(r"(\d{1,15})", line.casefold())
    ]


def _functions(setup: Setup) -> list[ToolFunction]:
    steps = ["drop_empty", "trim", "drop_duplicates", "sort", "reverse", "number"]
    flag = {"type": "boolean"}
    return [
        function("text_count", "Count characters, words, sentences, lines and paragraphs of a text, and how often a term occurs.",
                 {"text": _TEXT, "term": {"type": "string"}}, _count, required=("text",)),
        function("text_compare", "Compare two texts line by line and show what was added and removed.",
                 {"before": _TEXT, "after": _TEXT}, _compare, required=("before", "after")),
        function("text_replace", "Find words in a text and replace them, everywhere and exactly.",
                 {"text": _TEXT, "find": {"type": "string"}, "replace_with": {"type": "string"}, "whole_words": flag, "match_case": flag},
                 _replace, required=("text", "find", "replace_with")),
        function("text_extract", "Extract all e-mail addresses, links, dates, numbers or phone numbers from a text.",
                 {"text": _TEXT, "what": {"type": "string", "enum": list(_PATTERNS)}}, _extract, required=("text", "what")),
        function("text_case", "Write a text in capitals, small letters, title case or sentence case.",
                 {"text": _TEXT, "case": {"type": "string", "enum": list(_CASES)}}, _case, required=("text", "case")),
        function("text_lines", "Sort, number or reverse the lines of a text, or drop empty and repeated ones.",
                 {"text": _TEXT, "steps": {"type": "array", "items": {"type": "string", "enum": steps}, "minItems": 1}},
                 _lines, required=("text", "steps")),
    ]  # fmt: skip


TOOL = Tool(
    key="text",
    name="Work on text",
    description="Counts, compares, replaces, extracts and sorts, exactly.",
    icon="case-sensitive",
    effect="reads",
    functions=_functions,
)
