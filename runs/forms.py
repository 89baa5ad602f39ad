"""The forms of runs: what starts one, made from the variables, and what is said to one that asks."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import django_filters
from django import forms
from django.conf import settings
from django.utils import timezone

from accounts.services.departments import DAYS_WRONG, MOST_DAYS
from runs.models import Approval, Run, State, Trigger
from runs.queries import matching
from runs.services import LONGEST_ANSWER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet

    from mindloom.web.errors import MindloomError

PREFIX = "var-"


class RunFilter(django_filters.FilterSet):
    """Which runs a list shows, on the page and in the API."""

    q = django_filters.CharFilter(
        method="with_words",
        max_length=200,
        help_text='Words of the input or the output: all of them, or words that begin so. "Quoted words" one after the other, '
        "-word leaves out, #123 is that run.",
    )
    agent = django_filters.UUIDFilter("agent__uuid")
    team = django_filters.UUIDFilter("team__uuid")
    person = django_filters.UUIDFilter("started_by__uuid")
    state = django_filters.MultipleChoiceFilter(choices=State.choices)
    trigger = django_filters.ChoiceFilter(choices=Trigger.choices)
    queued_after = django_filters.IsoDateTimeFilter("queued_at", "gte")
    queued_before = django_filters.IsoDateTimeFilter("queued_at", "lt")
    since = django_filters.DateFilter(method="from_day", help_text="The first day, in the reader's time zone.")
    until = django_filters.DateFilter(method="to_day", help_text="The last day, with all of it.")

    class Meta:
        """Nothing beyond the filters above."""

        model = Run
        fields: tuple[str, ...] = ()

    def with_words(self, found: QuerySet[Run], name: str, text: str) -> QuerySet[Run]:
        """Runs that were asked or answered something with these words."""
        return found.filter(matching(text))

    def from_day(self, found: QuerySet[Run], name: str, day: date) -> QuerySet[Run]:
        """Queued on this day or later."""
        return found.filter(queued_at__gte=_begin(day))

    def to_day(self, found: QuerySet[Run], name: str, day: date) -> QuerySet[Run]:
        """Queued on this day or earlier."""
        return found.filter(queued_at__lt=_begin(day + timedelta(days=1))) if day < date.max else found


def _begin(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _days(label: str, hint: str) -> forms.IntegerField:
    widget = forms.NumberInput(attrs={"inputmode": "numeric", "min": 0, "max": MOST_DAYS})
    return forms.IntegerField(
        label=label,
        help_text=hint,
        required=False,
        min_value=0,
        max_value=MOST_DAYS,
        widget=widget,
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), DAYS_WRONG),
    )


class RunForm(forms.Form):
    """A field for each variable, and the text to work on. Values are judged by the service, as for every other door."""

    def __init__(
        self,
        variables: list[dict[str, Any]],
        data: Any = None,
        *,
        kind: str = "agent",
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        given = dict(initial or {})
        start = {f"{PREFIX}{name}": value for name, value in given.get("variables", {}).items()}
        super().__init__(data, initial=start | {"input": given.get("input", "")})
        for variable in variables:
            self.fields[f"{PREFIX}{variable['name']}"] = _field(variable)
        self.fields["input"] = forms.CharField(
            label="Message" if variables else f"What should the {kind} work on?",
            required=not variables,
            widget=forms.Textarea(attrs={"rows": 4 if variables else 8}),
            strip=False,
            error_messages={"required": f"Say what the {kind} should work on."},
        )

    def clean(self) -> dict[str, Any]:
        """NUL characters and the like are the service's to refuse; nothing more here."""
        return super().clean() or {}

    @property
    def values(self) -> dict[str, Any]:
        """The variables' values by name, without those left empty."""
        named = {key[len(PREFIX) :]: value for key, value in self.cleaned_data.items() if key.startswith(PREFIX)}
        return {name: value for name, value in named.items() if value not in (None, "")}

    def values_of(self, variables: list[dict[str, Any]]) -> dict[str, Any]:
        """Only the values of these variables: a draft and what is published may ask for different ones."""
        return {name: value for name, value in self.values.items() if name in {one["name"] for one in variables}}

    def add_errors(self, fields: Mapping[str, list[str]]) -> None:
        """Put the service's errors beside their fields."""
        for name, messages in fields.items():
            key = name.replace("variables.", PREFIX, 1) if name.startswith("variables.") else name
            for message in messages:
                self.add_error(key if key in self.fields else None, message)


class ManyFiles(forms.FileField):
    """Any number of files."""

    def __init__(self, **options: Any) -> None:
        super().__init__(widget=_ManyFilesInput(), allow_empty_file=True, **options)

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        """The files as a list; what they may be is the service's to say."""
        files = data if isinstance(data, list | tuple) else [data]
        return [super(ManyFiles, self).clean(one, initial) for one in files if one]


class _ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class MessageForm(RunForm):
    """What is said in a conversation; with the first message, the variables too."""

    def __init__(self, variables: list[dict[str, Any]], data: Any = None, files: Any = None) -> None:
        super().__init__(variables, data)
        if files is not None:
            self.files = files
        self.asks_variables = bool(variables)
        self.fields["input"].label = "Message"
        self.fields["input"].required = False
        self.fields["input"].widget.attrs |= {"rows": 2, "data-send-with-enter": "", "placeholder": "Write a message …"}
        self.fields["files"] = ManyFiles(label="Text files", required=False)

    @property
    def variable_fields(self) -> list[forms.BoundField]:
        """The fields of the variables."""
        return [self[name] for name in self.fields if name.startswith(PREFIX)]


def _field(variable: dict[str, Any]) -> forms.Field:
    kind = variable["kind"]
    options: dict[str, Any] = {
        "label": variable.get("label") or variable["name"],
        "help_text": variable.get("help", ""),
        "required": bool(variable.get("required")) and kind != "boolean",
        "initial": variable.get("default"),
    }
    if kind == "long_text":
        return forms.CharField(widget=forms.Textarea(attrs={"rows": 5}), strip=False, **options)
    if kind == "number":
        # A browser's number field throws away what is no number; here it comes back with a sentence.
        return forms.FloatField(widget=forms.TextInput(attrs={"inputmode": "decimal"}), **options)
    if kind == "boolean":
        return forms.BooleanField(**options)
    if kind == "date":
        return _IsoDate(widget=forms.DateInput(attrs={"type": "date"}), **options)
    if kind == "choice":
        choices = [(choice, choice) for choice in variable.get("choices", [])]
        return forms.ChoiceField(choices=choices if options["required"] else [("", "–"), *choices], **options)
    return forms.CharField(**options)


class _IsoDate(forms.DateField):
    """A date that stays what JSON keeps: YYYY-MM-DD."""

    def clean(self, value: Any) -> Any:
        """The date as ISO text."""
        date = super().clean(value)
        return date.isoformat() if date else None


class DecisionForm(forms.Form):
    """A person's word about a question: a note, or the answer. What is decided about is not in it."""

    def __init__(self, approval: Approval, data: Any = None) -> None:
        super().__init__(data, auto_id=f"q-{approval.uuid}-%s")
        answers, checks = approval.kind == Approval.Kind.ANSWER, approval.kind == Approval.Kind.CHECK
        self.fields["note"] = forms.CharField(
            label="Your answer" if answers else "Note",
            help_text="It goes on with these words."
            if answers
            else "It reads this when it happened: what was answered, if you know."
            if checks
            else "It reads this when you decline.",
            required=answers,
            max_length=LONGEST_ANSWER if data is None else None,
            widget=forms.Textarea(attrs={"rows": 4 if answers else 2}),
            strip=False,
            error_messages={"required": "Write the answer."},
        )

    @property
    def note(self) -> str:
        """What was written, with line ends as everywhere else."""
        return str(self.data.get("note", "")).replace("\r\n", "\n")

    def add_errors(self, fields: Mapping[str, list[str]]) -> None:
        """Put the service's errors beside their fields."""
        self.is_valid()
        for name, messages in fields.items():
            known = name in self.fields
            for message in messages:
                if not known or message not in self.errors.get(name, []):
                    self.add_error(name if known else None, message)


class RetentionForm(forms.Form):
    """For how many days a department keeps what."""

    runs = _days("Runs", "Whole runs: log, output, files, questions. Old conversations go with their last turn.")
    events = _days(
        "Pieces of logs", "How texts came in, piece by piece. The whole texts, all other lines and the numbers stay."
    )
    files = _days("Files", "What runs saved, in all versions. Their runs stay.")  # type: ignore[assignment] # the form is made without uploads

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        defaults = {
            "runs": settings.KEEP_RUNS_DAYS,
            "events": settings.KEEP_EVENTS_DAYS,
            "files": settings.KEEP_FILES_DAYS,
        }
        for name, days in defaults.items():
            self.fields[name].widget.attrs["placeholder"] = f"{days}" if days else "for ever"

    def refuse(self, error: MindloomError) -> None:
        """Put a service's sentences beside the fields they are about."""
        for name, sentences in error.fields.items():
            self.add_error(name.removeprefix("keep_").removesuffix("_days"), sentences)
        if not error.fields:
            self.add_error(None, error.message)
