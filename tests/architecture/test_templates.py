"""What templates, styles and scripts may not contain, and the contrast of every colour pair."""

from __future__ import annotations

import hashlib
import math
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted(
    path
    for path in ROOT.glob("**/templates/**/*.html")
    if not {".venv", "node_modules"} & set(path.relative_to(ROOT).parts)
)
SOURCES = sorted(path for kind in ("css", "js") for path in (ROOT / "static" / kind).rglob(f"*.{kind}"))
VENDOR = ROOT / "static" / "vendor"

# What the content security policy would drop silently, or what would need eval.
FORBIDDEN = {
    "an inline style": re.compile(r"""\sstyle\s*=|<style\b"""),
    "an inline handler": re.compile(r"""\s(hx-on|on(click|change|input|load|submit|error))\b[\w:-]*\s*="""),
    "a js: value": re.compile(r"""=\s*["'](js|javascript):"""),
    "a trigger filter": re.compile(r"""hx-trigger[\w:-]*\s*=\s*(["'])[^"']*\["""),
    "an inline script": re.compile(r"""<script(?![^>]*\bsrc=)(?![^>]*type=["']application/json["'])"""),
    "a component's :value that is no plain variable, which is dropped": re.compile(
        r"""<c-[^>]*\s:[\w-]+="[^"{]*[ |][^"]*\""""
    ),
    "unescaped output": re.compile(r"""\|\s*safe\b|{%\s*autoescape\s+off"""),
}


def name(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_a_template_keeps_to_the_rules(path):
    text = path.read_text()
    found = [
        f"{what}, line {text.count(chr(10), 0, m.start()) + 1}"
        for what, p in FORBIDDEN.items()
        for m in p.finditer(text)
    ]
    assert not found, f"{name(path)} has {found}"
    assert len(text.splitlines()) <= 120, f"{name(path)} is longer than 120 lines"


@pytest.mark.parametrize(
    ("what", "bad"),
    [
        ("an inline style", '<p style="x">'),
        ("an inline handler", '<p hx-on:click="x">'),
        ("a js: value", "<p hx-vals='js:{a:1}'>"),
        ("a trigger filter", '<p hx-trigger="click[ctrlKey]">'),
        ("an inline script", "<script>1</script>"),
        ("a component's :value that is no plain variable, which is dropped", "<c-tab :current=\"tab == 'x'\">"),
        ("unescaped output", "{{ x|safe }}"),
    ],
)
def test_the_rules_catch_what_they_forbid(what, bad):
    assert FORBIDDEN[what].search(bad)


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_stylesheet_or_script_stays_small(path):
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize("path", [p for p in SOURCES if p.suffix == ".js"], ids=name)
def test_a_script_never_evaluates_or_writes_markup(path):
    found = re.findall(
        r"\beval\(|new Function|innerHTML|outerHTML|insertAdjacentHTML|document\.write", path.read_text()
    )
    assert not found


@pytest.mark.parametrize("path", [p for p in SOURCES if p.suffix == ".css"], ids=name)
def test_only_the_tokens_name_text_and_surface_colours(path):
    if path.name == "tokens.css":
        return
    assert "light-dark(" not in path.read_text()


def test_a_theme_changes_nothing_but_colours():
    """So what a page is made of is the same in both, and the browser tests look at its structure in one of them."""
    named = re.compile(r"color-scheme|data-theme")
    found = [
        line.strip()
        for path in SOURCES
        if path.suffix == ".css"
        for line in path.read_text().splitlines()
        if named.search(line)
    ]
    # light-dark() takes colours only.
    assert [
        one for one in found if not re.fullmatch(r':root(\[data-theme="\w+"\])? +\{ color-scheme: [\w ]+; \}', one)
    ] == []
    assert len(found) == 3


def test_every_stylesheet_is_linked():
    linked = "".join(path.read_text() for path in TEMPLATES)
    assert [
        name(path)
        for path in SOURCES
        if path.suffix == ".css" and f"css/{path.relative_to(ROOT / 'static' / 'css')}" not in linked
    ] == []


def test_the_vendored_files_are_the_pinned_ones():
    lines = [line.split("  ", 1) for line in (VENDOR / "VENDOR.sha256").read_text().splitlines()]
    sums = {path: digest for digest, path in lines}
    files = {
        str(path.relative_to(VENDOR)): path
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name != "VENDOR.sha256"
    }
    assert set(files) == set(sums)
    for path, digest in sums.items():
        assert hashlib.sha256(files[path].read_bytes()).hexdigest() == digest, path


# --- contrast (WCAG 2.2: text 4.5, parts of controls and graphics 3) ---

SURFACES = ("bg", "surface", "sunken", "raised", "hover", "selected")
TEXT = {
    "text": SURFACES,
    "text-2": SURFACES,
    "text-3": SURFACES[:-1],
    "accent-text": ("bg", "surface", "sunken", "selected", "accent-soft"),
    "on-accent": ("accent", "accent-hover"),
    "on-danger": ("danger-solid",),
    "log-text": ("log-bg",),
    "log-muted": ("log-bg",),
}
PARTS = {
    "control": ("surface", "sunken"),
    "focus": ("bg", "surface", "sunken", "raised"),
    "accent": ("surface", "line"),
}
for _state in ("queued", "running", "waiting", "completed", "failed", "cancelled"):
    TEXT[f"{_state}-fg"] = ("surface", "bg", "sunken", f"{_state}-bg")
    PARTS[f"{_state}-solid"] = ("surface", "bg", "sunken")
for _colour in ("red", "green", "yellow", "blue", "magenta", "cyan"):
    TEXT[f"ansi-{_colour}"] = ("log-bg",)
for _syntax in ("kw", "str", "num", "com", "fn"):
    TEXT[f"syn-{_syntax}"] = ("log-bg",)
for _kind in ("agent", "model", "tool", "knowledge", "human"):
    PARTS[f"kind-{_kind}"] = ("surface",)
PAIRS = [(f, b, need) for table, need in ((TEXT, 4.5), (PARTS, 3.0)) for f, backs in table.items() for b in backs]


def luminance(lightness, chroma, hue):
    """Relative luminance of an oklch colour, by way of linear sRGB (clipped to what a screen shows)."""
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short
    return sum(w * min(1, max(0, c)) for w, c in ((0.2126, red), (0.7152, green), (0.0722, blue)))


def tokens():
    colour = r"oklch\(([\d.]+)%\s+([\d.]+)\s+([\d.]+)\)"
    pattern = re.compile(rf"--([\w-]+):\s*light-dark\({colour},\s*{colour}\)")
    found = {}
    for match in pattern.finditer((ROOT / "static" / "css" / "tokens.css").read_text()):
        values = [float(value) for value in match.groups()[1:]]
        for theme, (lightness, chroma, hue) in (("light", values[:3]), ("dark", values[3:])):
            found[theme, match[1]] = luminance(lightness / 100, chroma, hue)
    return found


def contrast(one, other):
    dark, light = sorted((one, other))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("front", "back", "need"), PAIRS, ids=str)
def test_a_colour_can_be_read_on_its_background(theme, front, back, need):
    known = tokens()
    assert contrast(known[theme, front], known[theme, back]) >= need
