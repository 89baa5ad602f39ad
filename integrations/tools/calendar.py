"""Makes files for calendars (iCalendar) and address books (vCard), which every office program opens."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from integrations.tools.base import Setup, Tool, function
from integrations.tools.wording import file_name, moment, needed, shortened
from mindloom.engine.ports import ToolContext, ToolError, ToolFunction

MOST_GUESTS = 50
_TIME = {"type": "string", "description": "2026-11-30T14:00, or 2026-11-30 for a whole day"}


def _event(arguments: dict[str, Any], context: ToolContext) -> str:
    title = needed(arguments, "title", "what the event is called", 300)
    zone = str(arguments.get("timezone") or "UTC").strip()
    if zone not in available_timezones():
        raise ToolError(f"“{shortened(zone, 60)}” is not a time zone. Write it like Europe/Berlin.")
    start = moment(str(arguments["start"]))
    end = moment(str(arguments["end"])) if arguments.get("end") else _usual_end(start)
    if isinstance(start, dt.datetime) != isinstance(end, dt.datetime):
        raise ToolError("Give both start and end with a time, or both as days.")
    begins, ends = _stamp(start, zone), _stamp(_after_last_day(end), zone)
    if ends <= begins:
        raise ToolError("The event ends before it begins.")
    told = [("SUMMARY", title), ("LOCATION", arguments.get("location")), ("DESCRIPTION", arguments.get("notes"))]
    lines = [f"{name}:{_escaped(str(text)[:5_000])}" for name, text in told if text]
    lines += [f"ATTENDEE:mailto:{guest}" for guest in _guests(arguments.get("guests") or [])]
    kind = "" if isinstance(start, dt.datetime) else ";VALUE=DATE"
    uid = hashlib.sha256("\n".join([begins, *lines]).encode()).hexdigest()[:32]
    now = dt.datetime.now(dt.UTC)
    content = _folded(
        ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Mindloom//EN", "BEGIN:VEVENT", f"UID:{uid}", f"DTSTAMP:{now:%Y%m%dT%H%M%SZ}",
         f"DTSTART{kind}:{begins}", f"DTEND{kind}:{ends}", *lines, "END:VEVENT", "END:VCALENDAR"]
    )  # fmt: skip
    saved = context.save_artifact(
        file_name(str(arguments.get("name") or title), ".ics", "event"), content, "text/calendar"
    )
    return f"Saved {saved.name}: {shortened(title, 100)}, {_said(start)} to {_said(end)}{f' ({zone})' if not kind else ''}."


def _usual_end(start: dt.datetime | dt.date) -> dt.datetime | dt.date:
    return _later(start, dt.timedelta(hours=1)) if isinstance(start, dt.datetime) else start


def _after_last_day(end: dt.datetime | dt.date) -> dt.datetime | dt.date:
    """Calendars write the end of whole days as the day after."""
    return end if isinstance(end, dt.datetime) else _later(end, dt.timedelta(days=1))


def _later(value: Any, step: dt.timedelta) -> Any:
    try:
        return value + step
    except OverflowError:
        raise ToolError("That date is outside the calendar.") from None


def _stamp(value: dt.datetime | dt.date, zone: str) -> str:
    if not isinstance(value, dt.datetime):
        return f"{value:%Y%m%d}".zfill(8)
    try:
        moved = (value if value.tzinfo else value.replace(tzinfo=ZoneInfo(zone))).astimezone(dt.UTC)
    except OverflowError:
        raise ToolError("That date is outside the calendar.") from None
    return f"{moved:%Y%m%dT%H%M%SZ}"


def _said(value: dt.datetime | dt.date) -> str:
    return value.isoformat(" ", "minutes") if isinstance(value, dt.datetime) else value.isoformat()


def _guests(given: list[Any]) -> list[str]:
    for guest in given:
        if str(guest).count("@") != 1 or not str(guest).isprintable() or set(str(guest)) & set(' ,;:<>"\\'):
            raise ToolError(f"“{shortened(guest, 80)}” is not an e-mail address.")
    return [str(guest) for guest in given]


def _card(arguments: dict[str, Any], context: ToolContext) -> str:
    full = needed(arguments, "full_name", "the person’s name", 200)
    family, given = (full.rpartition(" ")[2], full.rpartition(" ")[0]) if " " in full else ("", full)
    lines = ["BEGIN:VCARD", "VERSION:3.0", f"FN:{_escaped(full)}", f"N:{_escaped(family)};{_escaped(given)};;;"]
    for name, key in (
        ("ORG", "organisation"),
        ("TITLE", "position"),
        ("EMAIL", "email"),
        ("TEL", "phone"),
        ("URL", "website"),
        ("NOTE", "note"),
    ):
        text = str(arguments.get(key) or "").strip()[:1_000]
        lines += [f"{name}:{_escaped(text)}"] if text else []
    address = str(arguments.get("address") or "").strip()[:500]
    lines += [f"ADR:;;{_escaped(address)};;;;"] if address else []
    saved = context.save_artifact(file_name(full, ".vcf", "contact"), _folded([*lines, "END:VCARD"]), "text/vcard")
    return f"Saved {saved.name}: the contact of {shortened(full, 100)}."


def _escaped(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return "".join(
        letter for letter in escaped.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n") if letter >= " "
    )


def _folded(lines: list[str]) -> bytes:
    """Lines of at most 75 bytes, continued with a space, as both formats want."""
    folded = []
    for line in lines:
        piece = b""
        for letter in line:
            encoded = letter.encode(errors="replace")
            if len(piece) + len(encoded) > 75:
                folded.append(piece)
                piece = b" "
            piece += encoded
        folded.append(piece)
    return b"\r\n".join(folded) + b"\r\n"


def _functions(setup: Setup) -> list[ToolFunction]:
    text = {"type": "string"}
    guests = {
        "type": "array",
        "items": text,
        "maxItems": MOST_GUESTS,
        "description": "E-mail addresses; nobody is written to",
    }
    return [
        function(
            "save_calendar_event",
            "Make a calendar file (.ics) of an event, so that the person can open it in the calendar. Invites nobody.",
            {"title": text, "start": _TIME, "end": _TIME, "timezone": {**text, "description": "Such as Europe/Berlin; UTC when left out"},
             "location": text, "notes": text, "guests": guests, "name": {**text, "description": "The file's name"}},
            _event,
            required=("title", "start"),
            effect="writes",
        ),
        function(
            "save_contact",
            "Make a contact card (.vcf), so that the person can open it in the address book.",
            {"full_name": text, "organisation": text, "position": text, "email": text, "phone": text, "website": text, "address": text, "note": text},
            _card,
            required=("full_name",),
            effect="writes",
        ),
    ]  # fmt: skip


TOOL = Tool(
    key="calendar",
    name="Events and contacts",
    description="Makes calendar files of events and contact cards.",
    icon="calendar-plus",
    effect="writes",
    functions=_functions,
)
