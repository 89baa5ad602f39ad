"""Lays Markdown out as a PDF. Markup and pictures in the text are not followed: it is somebody's text, not a program."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import lru_cache

from fontTools.ttLib import TTFont  # type: ignore[import-untyped]
from fpdf import FPDF
from fpdf.enums import TableBordersLayout, TextEmphasis, XPos, YPos
from fpdf.fonts import FontFace, TTFFont
from markdown_it import MarkdownIt
from markdown_it.token import Token

from integrations.tools.drawing import FONTS

logging.getLogger("fontTools").setLevel(logging.WARNING)  # it tells every step of making a font small
_FACES = {"": "DejaVuSans", "B": "DejaVuSans-Bold", "I": "DejaVuSans-Oblique", "BI": "DejaVuSans-Bold"}
_INK, _SOFT, _LINK, _LINE = (31, 32, 51), (91, 93, 117), (72, 60, 190), (205, 205, 220)
_SIZE, _HEIGHT, _SIDE = 10.0, 5.2, 22.0
_HEADINGS = {"h1": 19.0, "h2": 14.5, "h3": 12.0}
_INDENT = 6.0


def made_of(markdown: str, title: str) -> tuple[bytes, int]:
    """A PDF of Markdown, and how many pages it has."""
    unknown = set(markdown) - _letters()
    text = "".join("□" if letter in unknown and letter.isprintable() else letter for letter in markdown)
    reader = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")
    paper = _Paper(" ".join(title.split())[:200])
    try:
        paper.put(reader.parse(text.replace("\t", "    ")))
        return bytes(paper.output()), paper.pages_count
    finally:
        for font in paper.fonts.values():
            if isinstance(font, TTFFont):
                font.close()


@lru_cache(maxsize=1)
def _letters() -> set[str]:
    """The letters that the font has."""
    with TTFont(FONTS / "DejaVuSans.ttf") as font:
        return {chr(code) for code in font.getBestCmap()} | {"\n", "\t"}


class _Paper(FPDF):
    """A4 with page numbers, in a font that has the letters of most of Europe."""

    def __init__(self, title: str) -> None:
        super().__init__(format="A4")
        for style, name in _FACES.items():
            self.add_font("DejaVu", style, FONTS / f"{name}.ttf")
        self.add_font("DejaVu Mono", "", FONTS / "DejaVuSansMono.ttf")
        self.set_title(title)
        self.set_creator("Mindloom")
        self.set_margins(_SIDE, 20, _SIDE)
        self.set_auto_page_break(True, 22)
        self.alias_nb_pages()
        self.add_page()
        self._lists: list[int] = []
        """The next number of each list that is open; 0 for bullets."""
        self._quotes = 0
        self._fresh = True
        """Whether nothing stands on the paper yet: there is no space above the first block."""

    def footer(self) -> None:
        """The page's number."""
        self.set_y(-15)
        self._font("", 8, _SOFT)
        self.cell(0, 8, f"{self.page_no()} / {{nb}}", align="R")

    def put(self, tokens: Sequence[Token]) -> None:
        """Lay out blocks, one after the other."""
        place = 0
        while place < len(tokens):
            token, place = tokens[place], place + 1
            if token.type == "heading_open":
                self._heading(tokens[place], token.tag)
            elif token.type == "table_open":
                end = next(one for one in range(place, len(tokens)) if tokens[one].type == "table_close")
                self._table(tokens[place:end])
                place = end + 1
            elif token.type in {"fence", "code_block"}:
                self._code(token.content)
            elif token.type == "hr":
                self._rule()
            elif token.type == "paragraph_open":
                self._paragraph(tokens[place], tight=token.hidden)
            else:
                self._structure(token)

    def _structure(self, token: Token) -> None:
        if token.type in {"bullet_list_open", "ordered_list_open"}:
            self._lists.append(int(token.attrGet("start") or 1) if token.type == "ordered_list_open" else 0)
        elif token.type in {"bullet_list_close", "ordered_list_close"}:
            self._lists.pop()
        elif token.type == "list_item_open":
            self._item()
        elif token.type == "blockquote_open":
            self._quotes += 1
        elif token.type == "blockquote_close":
            self._quotes -= 1
        self._margins()

    def _item(self) -> None:
        number = self._lists[-1]
        self._space(1.2)
        self._font("", _SIZE, _INK)
        self.set_x(self._left() - _INDENT)
        self.cell(_INDENT, _HEIGHT, f"{number}." if number else "•", new_x=XPos.LEFT, new_y=YPos.TOP)
        self._lists[-1] += 1 if number else 0
        self._fresh = True  # its paragraph begins beside the bullet

    def _left(self) -> float:
        return _SIDE + _INDENT * min(len(self._lists), 8) + 5.0 * min(self._quotes, 8)

    def _margins(self) -> None:
        self.set_left_margin(self._left())
        self.set_x(self._left())

    def _space(self, height: float) -> None:
        if not self._fresh:
            self.ln(height)
        self._fresh = False

    def _font(self, style: str, size: float, colour: tuple[int, int, int], family: str = "DejaVu") -> None:
        self.set_font(family, style, size)
        self.set_text_color(*colour)

    def _heading(self, inline: Token, tag: str) -> None:
        size = _HEADINGS.get(tag, 10.5)
        self._space(size * 0.42)
        if self.will_page_break(size + 14):
            self.add_page()
        self._font("B", size, _INK)
        self.multi_cell(0, size * 0.5, _plain(inline), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(0.6)

    def _paragraph(self, inline: Token, *, tight: bool) -> None:
        self._space(0.8 if tight else 2.6)
        top, page = self.get_y(), self.page
        self._margins()
        self._inline(inline.children or [])
        self.ln(_HEIGHT)
        if self._quotes and page == self.page:
            self.set_draw_color(*_LINE)
            self.set_line_width(0.7)
            self.line(self._left() - 3, top, self._left() - 3, self.get_y())

    def _inline(self, tokens: Sequence[Token]) -> None:
        style, link, family = set[str](), "", "DejaVu"
        for token in tokens:
            kind, _, end = token.type.rpartition("_")
            if kind in {"strong", "em"}:
                (style.add if end == "open" else style.discard)({"strong": "B", "em": "I"}[kind])
            elif kind == "link":
                link = str(token.attrGet("href") or "") if end == "open" else ""
            family = "DejaVu Mono" if token.type == "code_inline" else "DejaVu"
            text = {"softbreak": " ", "hardbreak": "\n"}.get(token.type, token.content)
            if text:
                colour = _LINK if link else _SOFT if self._quotes else _INK
                faces = "" if family == "DejaVu Mono" else "".join(sorted(style))
                self._font(faces, _SIZE - (0.7 if family == "DejaVu Mono" else 0), colour, family)
                self.write(_HEIGHT, text, link if link.startswith(("http://", "https://", "mailto:")) else "")

    def _code(self, text: str) -> None:
        self._space(2.6)
        self._margins()
        self._font("", 8.5, _INK, "DejaVu Mono")
        self.set_fill_color(245, 245, 250)
        self.multi_cell(
            0, 4.4, text.rstrip("\n") or " ", align="L", fill=True, padding=2, new_x=XPos.LMARGIN, new_y=YPos.NEXT
        )

    def _rule(self) -> None:
        self._space(4)
        self.set_draw_color(*_LINE)
        self.set_line_width(0.25)
        self.line(_SIDE, self.get_y(), self.w - _SIDE, self.get_y())
        self.ln(1)

    def _table(self, tokens: Sequence[Token]) -> None:
        rows: list[list[str]] = []
        aligns: list[str] = []
        for place, token in enumerate(tokens):
            if token.type == "tr_open":
                rows.append([])
            elif token.type in {"th_open", "td_open"}:
                rows[-1].append(_plain(tokens[place + 1]))
                if len(rows) == 1:
                    aligns.append(
                        "RIGHT"
                        if "right" in str(token.attrGet("style"))
                        else "CENTER"
                        if "center" in str(token.attrGet("style"))
                        else "LEFT"
                    )
        self._space(3)
        self._font("", 9, _INK)
        self.set_draw_color(*_LINE)
        self.set_line_width(0.25)
        widths = [min(max(len(row[place]) for row in rows) + 2, 48) for place in range(len(aligns))]
        with self.table(
            borders_layout=TableBordersLayout.HORIZONTAL_LINES, headings_style=FontFace(emphasis=TextEmphasis.B, fill_color=(240, 239, 250)),
            text_align=tuple(aligns), col_widths=tuple(widths), line_height=4.8, padding=1.4, v_align="TOP", align="LEFT",
        ) as table:  # fmt: skip
            for row in rows:
                table.row(row)


def _plain(inline: Token) -> str:
    return "".join(" " if one.type in {"softbreak", "hardbreak"} else one.content for one in inline.children or [])
