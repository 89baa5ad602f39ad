"""Inviting people: by addresses, or from a table."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

from django import forms

from accounts.forms.people import PeopleForm
from accounts.models import Role
from accounts.services.invitations import MOST_AT_ONCE, Wanted
from accounts.services.people import NAME_LENGTH
from accounts.services.strength import LONGEST_PASSWORD

ROLES = [
    (Role.VIEWER.value, "Viewer\nLooks at agents and runs"),
    (Role.MEMBER.value, "Member\nBuilds and runs agents"),
    (Role.MANAGER.value, "Manager\nAlso manages people and what others made"),
]
LARGEST_TABLE = 1_000_000
_WITH_NAME = re.compile(r"(?P<name>[^<>]*)<(?P<email>[^<>]+)>\Z")


class InviteForm(PeopleForm):
    """Addresses, one a line, and what they become."""

    people = forms.CharField(
        label="Addresses",
        max_length=100_000,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "placeholder": "anna@example.org"}),
        help_text="One a line, or as in a mail program: Anna Berg <anna@example.org>.",
    )
    role = forms.ChoiceField(choices=ROLES, initial=Role.MEMBER.value, widget=forms.RadioSelect)

    def wanted(self) -> list[Wanted]:
        """Whom to invite."""
        lines = re.split(r"[\n;,]", self.cleaned_data["people"].replace("\r", "\n"))
        return [_wanted(line.strip(), Role(self.cleaned_data["role"])) for line in lines if line.strip()]


def _wanted(line: str, role: Role) -> Wanted:
    found = _WITH_NAME.match(line)
    if found is None:
        return Wanted(line, "", role)
    return Wanted(found["email"].strip(), found["name"].strip().strip('"'), role)


class Table:
    """A table of people as it was given: whom it names, and what is wrong with which line."""

    def __init__(self, text: str) -> None:
        self.people: list[Wanted] = []
        self.problems: list[tuple[int, str]] = []
        """Line, counted from 1, and a sentence."""
        text = text.lstrip("\ufeff")
        # The line that names the columns says it; in the others commas may stand inside of names.
        separator = max(",;\t", key=(text.splitlines() or [""])[0].count)
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        try:
            self._read(rows)
        except csv.Error as error:
            self.problems.append((rows.line_num, f"The table cannot be read from here on: {error}."))

    def _read(self, rows: Any) -> None:
        head = [one.strip().lower() for one in next(rows, [])]
        if "email" not in head and "e-mail" not in head:
            self.problems.append((1, "The first line must name the columns: email, and if you like name and role."))
            return
        places = {name.replace("-", ""): place for place, name in enumerate(head)}
        known: set[str] = set()
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            cells = {name: row[place].strip() if place < len(row) else "" for name, place in places.items()}
            role = cells.get("role", "").lower() or Role.MEMBER.value
            if role not in Role.values:
                self.problems.append((rows.line_num, f"“{role[:40]}” is no role. Write {', '.join(Role.values)}."))
            elif not cells["email"]:
                self.problems.append((rows.line_num, "There is no address."))
            elif (address := cells["email"].lower()) in known:
                self.problems.append((rows.line_num, f"{address[:80]} is named before; that line counts."))
            elif len(self.people) == MOST_AT_ONCE:
                self.problems.append((rows.line_num, f"A table may name {MOST_AT_ONCE} people. Split it."))
                return
            else:
                known.add(address)
                self.people.append(Wanted(cells["email"], cells.get("name", ""), Role(role)))


class ImportForm(PeopleForm):
    """A table of people, as a file or as text."""

    file = forms.FileField(
        label="File", required=False, widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,text/csv"})
    )
    text = forms.CharField(
        label="Or the table itself",
        required=False,
        max_length=LARGEST_TABLE,
        strip=False,
        widget=forms.Textarea(
            attrs={"rows": 8, "class": "code", "spellcheck": "false", "placeholder": "email,name,role"}
        ),
        help_text="Columns email, name and role, with a line that names them. Commas, semicolons or tabs between.",
    )

    def clean(self) -> dict[str, Any]:
        """The text of either."""
        data = super().clean() or {}
        file = data.get("file")
        if file is not None and file.size > LARGEST_TABLE:
            self.add_error("file", "The file is larger than 1 MB. Is it a table of people?")
        elif file is not None:
            data["text"] = self._decoded(file.read())
        if not self.errors and not (data.get("text") or "").strip():
            self.add_error("file", "Choose a file, or paste the table below.")
        return data

    def _decoded(self, content: bytes) -> str:
        """Spreadsheets write UTF-8, UTF-16 or what the office's computers once spoke."""
        wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
        for encoding in ["utf-16"] if wide else ["utf-8-sig", "cp1252"]:
            try:
                text = content.decode(encoding)
            except UnicodeDecodeError:
                continue
            if "\x00" not in text:
                return text
        self.add_error("file", "This file is not text. Save the table as CSV, then choose it again.")
        return ""


class JoinInvitedForm(PeopleForm):
    """Name and password of somebody who was invited and has no account."""

    name = forms.CharField(max_length=NAME_LENGTH, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = forms.CharField(
        max_length=LONGEST_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 10 characters; several words are easier to keep in mind than signs.",
    )
