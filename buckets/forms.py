"""What people fill in for buckets. The services check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from buckets.models import Bucket, Language, PassageLength
from buckets.queries import Only, settings_of
from integrations.models import Model, Purpose

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from accounts.models import User
    from buckets.models import Document

NO_TAG = "No file has the tag “%(value)s”."
VISIBILITY = [
    (Bucket.Visibility.DEPARTMENT.value, "Department\nEveryone in the department, and its agents"),
    (Bucket.Visibility.PRIVATE.value, "Private\nOnly you and the department’s managers"),
    (Bucket.Visibility.EVERYONE.value, "Everyone\nAlso people and agents of other departments"),
]
LENGTHS = [
    (PassageLength.SHORT.value, "Short\nQuestions about single facts, lists, prices"),
    (PassageLength.MEDIUM.value, "Medium\nRight for most documents"),
    (PassageLength.LONG.value, "Long\nArguments that need their surroundings"),
]


class BucketForm(forms.Form):
    """Everything that can be set of a bucket."""

    name = forms.CharField(max_length=80, help_text="What people and agents know it by, such as “Price lists”.")
    description = forms.CharField(max_length=300, required=False, help_text="What is in it, and what is not.")
    visibility = forms.ChoiceField(
        label="Who may read it", choices=VISIBILITY, initial="department", widget=forms.RadioSelect
    )
    language = forms.ChoiceField(
        choices=Language.choices,
        initial=Language.ENGLISH.value,
        help_text="Of most of the documents, so that “prices” also finds “price”.",
    )
    passage_length = forms.ChoiceField(
        label="Passages", choices=LENGTHS, initial=PassageLength.MEDIUM.value, widget=forms.RadioSelect
    )
    embedding_model = forms.ChoiceField(label="Find by meaning with", required=False)

    def __init__(self, data: Any = None, bucket: Bucket | None = None) -> None:
        names = [name for name in self.base_fields if name != "embedding_model"]
        initial: dict[str, Any] = {name: getattr(bucket, name) for name in names} if bucket else {}
        wanted: dict[str, Any] = settings_of(bucket) if bucket else {}
        chosen = wanted.pop("embedding_model", None)
        super().__init__(data, initial=initial | wanted | {"embedding_model": str(chosen.uuid) if chosen else ""})
        models = list(Model.objects.usable(Purpose.EMBEDDING))
        self._models = {str(one.uuid): one for one in [*models, *([chosen] if chosen else [])]}
        field: Any = self.fields["embedding_model"]
        field.choices = [("", "Nothing: by words only"), *((uuid, str(one)) for uuid, one in self._models.items())]
        if models:
            field.help_text = "Finds “reimbursement” when somebody asks for a refund. Passages are sent to this model."
        else:
            field.help_text = "An administrator can add an embedding model under Models."

    def clean_embedding_model(self) -> Model | None:
        """The model, None for none."""
        return self._models.get(self.cleaned_data["embedding_model"])


class PasteForm(forms.Form):
    """A text that somebody pastes."""

    name = forms.CharField(max_length=150, help_text="Under which it is listed and cited.")
    tags = forms.CharField(
        required=False, max_length=1_000, help_text="With commas between them, to narrow searches by."
    )
    text = forms.CharField(
        strip=False,
        widget=forms.Textarea(attrs={"rows": 16, "class": "code"}),
        help_text="Markdown headings, such as “# Fees”, become places that are cited.",
    )


class WebForm(forms.Form):
    """An address of the web."""

    url = forms.CharField(
        label="Address of a page or feed",
        max_length=2_000,
        widget=forms.TextInput(
            attrs={"inputmode": "url", "autocomplete": "off", "placeholder": "https://example.org/news"}
        ),
        help_text="Of an RSS or Atom feed, each entry becomes a file. Pages that want a sign-in cannot be fetched.",
    )
    tags = forms.CharField(
        required=False, max_length=1_000, help_text="With commas between them, for all that is found there."
    )


class SearchForm(forms.Form):
    """A question to the bucket, and the documents it is narrowed to."""

    q = forms.CharField(required=False)
    tag = forms.MultipleChoiceField(
        label="Tags", required=False, widget=forms.CheckboxSelectMultiple, error_messages={"invalid_choice": NO_TAG}
    )
    name = forms.CharField(label="In files called", required=False, max_length=200)
    since = forms.DateField(label="Dated from", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label="Dated to", required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, data: Any, tags: Iterable[tuple[str, int]]) -> None:
        super().__init__(data)
        self.fields["tag"].choices = [(tag, f"{tag} ({count})") for tag, count in tags]  # type: ignore[attr-defined]

    def only(self) -> Only:
        """The documents that are meant, of a form that is valid."""
        given = self.cleaned_data
        return Only(tags=tuple(given["tag"]), name=given["name"], since=given["since"], until=given["until"])


class PreviewForm(forms.Form):
    """A file, and how long its passages would be."""

    document = forms.ChoiceField(label="File")
    length = forms.ChoiceField(label="Passages", choices=LENGTHS, widget=forms.RadioSelect)

    def __init__(self, data: Any, documents: Iterable[Document], chosen: Mapping[str, str]) -> None:
        super().__init__(data or None, initial=dict(chosen))
        self.fields["document"].choices = [(str(one.uuid), one.name) for one in documents]  # type: ignore[attr-defined]


class DocumentForm(forms.Form):
    """What can be said of a file."""

    name = forms.CharField(label="File name", max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    tags = forms.CharField(
        required=False, max_length=1_000, help_text="With commas between them. A search can be narrowed to some."
    )
    dated_on = forms.DateField(
        label="Date", widget=forms.DateInput(attrs={"type": "date"}), help_text="The day that the file is of."
    )

    def __init__(self, data: Any, document: Document) -> None:
        initial = {"name": document.name, "tags": ", ".join(document.tags), "dated_on": document.dated_on}
        super().__init__(data, initial=initial)


class DeleteForm(forms.Form):
    """The bucket's name, typed."""

    confirm = forms.CharField(
        label="The bucket’s name",
        error_messages={"required": "Type the bucket’s name to delete it."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class OwnerForm(forms.Form):
    """Who looks after the bucket from now on."""

    owner = forms.ChoiceField(label="New owner")

    def __init__(self, data: Any, people: Iterable[User]) -> None:
        super().__init__(data)
        self.fields["owner"].choices = [(str(one.uuid), str(one.name or one)) for one in people]  # type: ignore[attr-defined]
