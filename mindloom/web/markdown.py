"""Safe markdown for text that a model or a person wrote.

Two walls: the parser does not accept raw HTML, and what it writes is sanitised against a short list.
Images are removed, because a remote image in model output is a way to send data out.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from mdit_py_plugins.tasklists import tasklists_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

MAX_HIGHLIGHT = 50_000
MAX_CHARACTERS = 100_000
"""A longer text is shown as it is: as a table it would keep the page's process busy for many seconds."""
TASK_CLASSES = {"task-list-item", "contains-task-list", "task-list-item-checkbox"}
# fmt: off
TAGS = {
    "p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "strong", "em", "s", "code", "pre", "span", "blockquote",
    "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td", "a", "input",
}
# fmt: on
ATTRIBUTES = {
    "a": {"href", "title"},
    "code": {"class"},
    "input": {"type", "disabled", "checked", "class"},
    "li": {"class"},
    "ol": {"start"},
    "pre": {"tabindex"},
    "span": {"class"},
    "ul": {"class"},
}
CHECKBOX = {("type", "checkbox"), ("disabled", "disabled"), ("checked", "checked")}

_TAG = re.compile(r"(<[^>]*>)")
_UNCITED = re.compile(r"</?(?:a|code|pre)\b")
_CITED = re.compile(r"\[(\d{1,3})\]")

_formatter = HtmlFormatter(nowrap=True, classprefix="p-")


def _code(source: str, language: str, _attrs: str) -> str:
    if not language or len(source) > MAX_HIGHLIGHT:
        return html.escape(source)
    try:
        return str(highlight(source, get_lexer_by_name(language), _formatter))
    except ClassNotFound:
        return html.escape(source)


_markdown = (
    MarkdownIt("commonmark", {"html": False, "typographer": False, "maxNesting": 20, "highlight": _code})
    .enable(["table", "strikethrough"])
    .disable("image")
    .use(tasklists_plugin)
)


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name == "class":
        allowed = [c for c in value.split() if c.startswith(("p-", "language-")) or c in TASK_CLASSES]
        return " ".join(allowed) or None
    if tag == "input":
        return value if (name, value) in CHECKBOX else None
    return value


def clean(markup: str) -> str:
    """Remove every element, attribute and address that is not on the list."""
    return nh3.clean(
        markup,
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=_attribute,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow ugc",
        strip_comments=True,
    )


def render(text: str) -> str:
    """Turn markdown into sanitised HTML. A very long text keeps its signs and line breaks instead."""
    if len(text) > MAX_CHARACTERS:
        return f'<pre tabindex="0"><code>{html.escape(text)}</code></pre>'
    # A scrollable code block has to be reachable by keyboard.
    return clean(_markdown.render(text).replace("<pre><code", '<pre tabindex="0"><code'))


def blocks(text: str) -> list[str]:
    """The sources of the blocks of a growing text. All but the last are finished, and never change again."""
    starts = sorted({token.map[0] for token in _markdown.parse(text) if token.level == 0 and token.map})
    lines = text.splitlines(keepends=True)
    ends = [*starts[1:], len(lines)]
    return ["".join(lines[start:end]) for start, end in zip(starts, ends, strict=False)]


@lru_cache(maxsize=1024)
def _finished(source: str) -> str:
    return render(source)


def render_growing(text: str) -> list[str]:
    """The sanitised HTML of each block of a text that is being written; only the last is rendered anew as it grows."""
    if len(text) > MAX_CHARACTERS:
        return [render(text)]
    *finished, last = blocks(text) or [""]
    return [*map(_finished, finished), render(last)]


def cite(markup: str, numbers: Mapping[int, bool]) -> str:
    """Turn `[3]` in sanitised HTML into a link to `#source-3`, for these numbers; not in code and not inside links.

    True for a number says that its source is doubtful.
    """
    parts, depth = _TAG.split(markup), 0
    for place, part in enumerate(parts):
        if place % 2:
            if _UNCITED.match(part):
                depth += -1 if part.startswith("</") else 1
        elif not depth:
            parts[place] = _CITED.sub(lambda found: _link(found, numbers), part)
    return "".join(parts)


def _link(found: re.Match[str], numbers: Mapping[int, bool]) -> str:
    number = int(found[1])
    if number not in numbers:
        return found[0]
    look, said = (" doubt", '<span class="sr"> (look at the source)</span>') if numbers[number] else ("", "")
    return f'<a class="cite{look}" href="#source-{number}">{number}{said}</a>'
