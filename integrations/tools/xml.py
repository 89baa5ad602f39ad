"""Reads XML that somebody else wrote: no entities, no outside parts, and with a bound on its size."""

from __future__ import annotations

from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException  # type: ignore[import-untyped]
from defusedxml.ElementTree import fromstring  # type: ignore[import-untyped]

from mindloom.engine.ports import ToolError

MOST_BYTES = 5_000_000
DEEPEST = 200


def read(content: bytes | str, what: str) -> Element:
    """The root element. Raises `ToolError`."""
    if len(content) > MOST_BYTES:
        raise ToolError(f"{what} has {len(content):,} bytes; {MOST_BYTES:,} are the most.")
    try:
        root: Element = fromstring(content.strip())
    except DefusedXmlException:
        raise ToolError(f"{what} defines entities, which are not read because they can hide anything.") from None
    except (ParseError, ValueError, LookupError) as error:
        raise ToolError(f"{what} is not well-formed XML: {str(error)[:200]}.") from None
    if _is_deep(root):
        raise ToolError(f"{what} is nested deeper than {DEEPEST} levels.")
    return root


def name(element: Element) -> str:
    """The element's name without its namespace, in small letters."""
    return element.tag.rpartition("}")[2].lower() if isinstance(element.tag, str) else ""


def child(element: Element, *names: str) -> Element | None:
    """The first child with one of the names, in the order of the names."""
    return next((one for wanted in names for one in element if name(one) == wanted), None)


def children(element: Element, wanted: str) -> list[Element]:
    """The children of a name, whatever their namespace."""
    return [one for one in element if name(one) == wanted]


def text(element: Element | None) -> str:
    """All text inside."""
    return "".join(element.itertext()).strip() if element is not None else ""


def _is_deep(root: Element) -> bool:
    level = [root]
    for _ in range(DEEPEST):
        level = [one for parent in level for one in parent]
        if not level:
            return False
    return True
