"""Template tags and filters of the interface: icons, figures, times, form widgets, markdown."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import NamedTuple, Protocol

import lucide
from django import forms, template
from django.conf import settings
from django.forms.boundfield import BoundField
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from mindloom.web import markdown as md

register = template.Library()

DASH = "\N{EN DASH}"
SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£"}
MINUTE, HOUR, DAY = 60, 3600, 86400


# --- icons -----------------------------------------------------------------------------------------


@lru_cache(maxsize=2048)
def _svg(name: str, size: int, label: str, extra: str) -> SafeString:
    attrs = {"class": f"icon {extra}".strip()}
    attrs |= {"role": "img", "aria-label": label} if label else {"aria-hidden": "true"}
    # The names come from our templates and the markup from the package; lucide escapes the attributes.
    return mark_safe(lucide._render_icon(name, size, **attrs))  # noqa: S308, SLF001


@register.simple_tag
def icon(name: str, size: int = 16, label: str = "", extra: str = "") -> SafeString:
    """Inline lucide icon; an unknown name raises, so a typo cannot reach a page unseen."""
    return _svg(str(name), int(size), str(label), str(extra))


# --- states and effects ----------------------------------------------------------------------------


class Look(NamedTuple):
    """How a state or effect is shown: shape, word and tone."""

    icon: str
    label: str
    tone: str


STATES = {
    "queued": Look("circle-dashed", "Queued", "queued"),
    "running": Look("loader-circle", "Running", "running"),
    "waiting": Look("hand", "Waiting", "waiting"),
    "completed": Look("circle-check", "Completed", "completed"),
    "failed": Look("circle-x", "Failed", "failed"),
    "cancelled": Look("ban", "Cancelled", "cancelled"),
}
EFFECTS = {
    "reads": Look("eye", "reads", "neutral"),
    "writes": Look("pencil", "writes", "info"),
    "sends": Look("send", "sends", "warn"),
    "executes": Look("terminal", "executes", "danger"),
}
TONE_ICONS = {
    "info": "info",
    "warn": "triangle-alert",
    "danger": "circle-x",
    "ok": "circle-check",
    "accent": "sparkles",
}


@register.filter
def state_look(state: object) -> Look:
    """The look of a run state; an unknown word is shown as it is, in the neutral tone."""
    word = str(getattr(state, "value", state))
    return STATES.get(word) or Look("circle", word.replace("_", " ").capitalize(), "neutral")


@register.simple_tag
def status(
    state: object,
    *,
    label: str = "",
    icon: str = "",
    tone: str = "",
    plain: object = "",
    extra: str = "",
    attrs: str = "",
) -> SafeString:
    """A state's badge: what `<c-status>` shows. Long lists use the tag, which takes a tenth of a component's time."""
    look = state_look(state)
    classes = f"status tone-{tone or look.tone}{' plain' if plain else ''} {extra}".strip()
    symbol = _svg(icon or look.icon, 13, "", "")
    return format_html('<span class="{}" {}>{}{}</span>', classes, attrs, symbol, label or look.label)


@register.simple_tag
def glyph(icon: str, kind: str = "agent", size: str = "", extra: str = "", attrs: str = "") -> SafeString:
    """The coloured square with an icon: what `<c-glyph>` shows, as a tag for long lists."""
    classes = f"glyph kind-{kind} {size} {extra}".strip()
    return format_html(
        '<span class="{}" aria-hidden="true" {}>{}</span>',
        classes,
        attrs,
        _svg(icon, 14 if size == "sm" else 18, "", ""),
    )


@register.filter
def effect_look(effect: object) -> Look:
    """The look of a tool effect (reads, writes, sends, executes)."""
    word = str(getattr(effect, "value", effect))
    return EFFECTS.get(word) or Look("circle", word, "neutral")


@register.filter
def tone_icon(tone: str) -> str:
    """The icon that goes with a callout tone."""
    return TONE_ICONS.get(str(tone), "info")


@register.filter
def initials(name: object) -> str:
    """Up to two initials of a name: "Amara Okafor" -> "AO"."""
    words = [word for word in str(name or "").replace(".", " ").split() if word[0].isalnum()]
    if not words:
        return "?"
    letters = words[0][:2] if len(words) == 1 else words[0][0] + words[-1][0]
    return letters.upper()


@register.filter
def hue(name: object) -> int:
    """A stable number from 0 to 3 for a name, to vary avatar colours."""
    return sum(str(name or "").encode()) % 4


# --- figures ---------------------------------------------------------------------------------------


def _number(value: object) -> Decimal | None:
    try:
        number = Decimal(str(value))
    except (InvalidOperation, ValueError):
        return None
    return number if number.is_finite() else None


@register.filter
def duration(value: object) -> str:
    """Milliseconds (or a timedelta) in words a person reads: 420 ms, 1.8 s, 2:41, 1:02:09."""
    if isinstance(value, dt.timedelta):
        value = value.total_seconds() * 1000
    number = _number(value)
    if number is None:
        return DASH
    ms = max(0, int(number))
    if ms < 1000:
        return f"{ms} ms"
    if ms < 59_950:
        return f"{ms / 1000:.1f} s"
    minutes, seconds = divmod(round(ms / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


@register.filter
def filesize(value: object) -> str:
    """Bytes as B, KB, MB or GB (steps of 1024)."""
    number = _number(value)
    if number is None:
        return DASH
    size = float(number)
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024 or unit == "GB":
            return f"{size:.0f} {unit}" if unit == "B" or size >= 10 else f"{size:.1f} {unit}"
        size /= 1024
    raise AssertionError(unit)


@register.filter
def price(value: object) -> str:
    """A price as it was given: 2.50 -> "2.5"."""
    number = _number(value)
    return DASH if number is None else f"{number.normalize():f}"


class Costs(Protocol):
    """What a run, and every sum over the ledger, says about money."""

    @property
    def cost(self) -> Decimal: ...
    @property
    def unpriced_calls(self) -> int: ...


@register.filter
def cost(sums: Costs) -> str:
    """What is known of the cost of something with `cost` and `unpriced_calls`, and that more came on top when it did."""
    if not sums.unpriced_calls:
        return money(sums.cost)
    return f"{money(sums.cost)} + unpriced" if sums.cost else "unpriced"


@register.filter
def compact(value: object) -> str:
    """A count short enough for a tile: 950, 48.2k, 1.3M."""
    number = _number(value)
    if number is None:
        return DASH
    size = float(number)
    if abs(size) < 1000:
        return f"{size:.0f}"
    size /= 1000
    return f"{size:.1f}k" if abs(size) < 999.95 else f"{size / 1000:.1f}M"


@register.filter
def money(value: object, currency: str = "") -> str:
    """An amount in a currency, else the installation's; small ones keep the places that count: a call costs fractions."""
    number = _number(value)
    if number is None:
        return DASH
    code = str(currency or settings.CURRENCY).upper()
    places = min(10, max(4, 1 - number.adjusted())) if 0 < abs(number) < Decimal("0.01") else 2
    sign = "\N{MINUS SIGN}" if number < 0 else ""
    symbol = SYMBOLS.get(code, f"{code}\N{NO-BREAK SPACE}")
    return f"{sign}{symbol}{abs(number):,.{places}f}"


@register.simple_tag
def percent(value: object, maximum: object = 100) -> str:
    """Share of value in maximum as a number from 0 to 100, for SVG attributes."""
    part, whole = _number(value), _number(maximum)
    if not part or not whole or whole < 0:
        return "0"
    return f"{min(Decimal(100), max(Decimal(0), part / whole * 100)):.1f}"


# --- times -----------------------------------------------------------------------------------------


def _relative(seconds: float) -> str:
    past, size = seconds >= 0, abs(seconds)
    if size < 45:
        return "just now" if past else "in a moment"
    for limit, step, unit in ((45 * MINUTE, MINUTE, "min"), (22 * HOUR, HOUR, "h"), (26 * DAY, DAY, "d")):
        if size < limit:
            words = f"{max(1, round(size / step))} {unit}"
            return f"{words} ago" if past else f"in {words}"
    return ""


def _time_element(moment: dt.datetime, text: str) -> SafeString:
    local = timezone.localtime(moment) if timezone.is_aware(moment) else moment
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        moment.isoformat(timespec="seconds"),
        date_format(local, "D j M Y, H:i:s"),
        text,
    )


@register.filter
def ago(moment: dt.datetime | None) -> str:
    """A relative time ("3 min ago", "in 2 h"); the absolute time is in the element and its title."""
    if not isinstance(moment, dt.datetime):
        return DASH
    now = timezone.now() if timezone.is_aware(moment) else dt.datetime.now()  # noqa: DTZ005
    text = _relative((now - moment).total_seconds())
    return _time_element(moment, text) if text else at(moment)


@register.filter
def at(moment: dt.datetime | None) -> str:
    """A date and time in the reader's zone ("23 Nov 2026, 07:00"), as a <time> element."""
    if not isinstance(moment, dt.datetime):
        return DASH
    local = timezone.localtime(moment) if timezone.is_aware(moment) else moment
    return _time_element(moment, date_format(local, "j M Y, H:i"))


# --- text ------------------------------------------------------------------------------------------


@register.filter
def markdown(text: object) -> SafeString:
    """Sanitised HTML of markdown written by a model or a person."""
    return mark_safe(md.render(str(text or "")))  # noqa: S308 -- md.render sanitises


@register.filter
def growing_markdown(text: object) -> list[SafeString]:
    """The blocks of a text that is being written, as sanitised HTML; all but the last are finished."""
    return [mark_safe(part) for part in md.render_growing(str(text or ""))]  # noqa: S308 -- it sanitises


@register.filter
def cited_markdown(text: object, numbers: Mapping[int, bool]) -> SafeString:
    """The same as `markdown`, with the numbers of sources as links to them."""
    return mark_safe(md.cite(md.render(str(text or "")), numbers))  # noqa: S308 -- md.render sanitises


# --- forms -----------------------------------------------------------------------------------------

KINDS: tuple[tuple[type[forms.Widget], str], ...] = (
    (forms.CheckboxSelectMultiple, "checks"),
    (forms.RadioSelect, "radios"),
    (forms.CheckboxInput, "switch"),
    (forms.ClearableFileInput, "file"),
    (forms.FileInput, "file"),
    (forms.Select, "select"),
    (forms.Textarea, "textarea"),
    (forms.PasswordInput, "password"),
)
CLASSES = {"select": "select", "textarea": "textarea", "switch": "switch", "radios": "radio", "checks": "check"}


@register.filter
def field_kind(field: BoundField) -> str:
    """Which of the field layouts fits a bound field's widget."""
    if field.is_hidden:
        return "hidden"
    return next((kind for widget, kind in KINDS if isinstance(field.field.widget, widget)), "text")


def _widget_attrs(field: BoundField) -> dict[str, str | bool]:
    kind = field_kind(field)
    attrs: dict[str, str | bool] = {}
    existing = str(field.field.widget.attrs.get("class", ""))
    attrs["class"] = f"{CLASSES.get(kind, 'input')} {existing}".strip()
    if kind == "switch":
        attrs["role"] = "switch"
    described = [str(field.field.widget.attrs.get("aria-describedby", ""))]
    described += [f"{field.auto_id}_helptext"] if field.help_text else []
    described += [f"{field.auto_id}_error"] if field.errors else []
    if words := " ".join(filter(None, described)):
        attrs["aria-describedby"] = words
    if field.errors:
        attrs["aria-invalid"] = "true"
    return attrs


@register.simple_tag
def field_widget(field: BoundField) -> SafeString:
    """The widget of a bound field with our classes and the ARIA links to its hint and error."""
    return field.as_widget(attrs=_widget_attrs(field))


class Option(NamedTuple):
    """One radio button or check box of a group."""

    tag: SafeString
    id: str
    label: str
    note: str


@register.filter
def field_options(field: BoundField) -> Iterator[Option]:
    """Options of a radio or check box group; a line break in a choice's label starts its note."""
    kind = field_kind(field)
    invalid = {"aria-invalid": "true"} if field.errors else {}
    for option in field.subwidgets:
        option.data["attrs"] = {**option.data["attrs"], "class": CLASSES[kind], **invalid}
        label, _, note = str(option.choice_label).partition("\n")
        yield Option(option.tag(), option.id_for_label, label, note)


@register.simple_tag
def field_limit(field: BoundField) -> str:
    """The maximum length of a text area, for its character counter."""
    return str(getattr(field.field, "max_length", None) or "")
