"""The forms of the settings that agents and teams share: model, memory, answer, limits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings

from agents.definition import AFTER_DOCUMENTS, LANGUAGES, LONGEST_INSTRUCTIONS, STORAGES, WINDOWS
from agents.definition.output import LARGEST_SCHEMA
from agents.definition.parts import EXECUTORS, MOST_HISTORY, MOST_RETRIES
from agents.forms.shown import Sentences, Shown
from integrations.models import Model

OUTPUT_MODES = {
    "free": "Free text\nWhatever the instructions ask for",
    "form": "A form\nFields that you name here; other programs can read them",
    "schema": "A JSON Schema\nPasted, for those who have one",
}
_STORAGE_NOTES = {
    "none": "Every run begins anew",
    "postgresql": "In the database, with the conversation",
    "redis": f"In fast memory, gone {settings.SHORT_TERM_MEMORY_HOURS} hours after its last use",
}

_CAUTION_NOTES = {
    "ask": "What stands in a document may be made to give orders",
    "allow": "When everything in its content buckets is to be trusted",
}


class InstructionsForm(Shown):
    """What to do, in plain language."""

    instructions = forms.CharField(
        max_length=LONGEST_INSTRUCTIONS,
        widget=forms.Textarea(attrs={"class": "code", "rows": 14, "spellcheck": "true"}),
    )


class ModelForm(Shown):
    """Who does the thinking, and how freely."""

    model = forms.ChoiceField(required=True, widget=forms.RadioSelect)
    fallback_model = forms.ChoiceField(
        label="When it fails, use", required=False, help_text="Steps in when the model cannot be reached."
    )
    temperature = forms.CharField(
        label="Creativity",
        required=True,
        help_text="Low values keep wording close to the sources.",
        widget=forms.NumberInput(attrs={"type": "range", "min": 0, "max": 2, "step": "0.1"}),
    )
    temperature_auto = forms.BooleanField(label="Leave creativity to the model", required=False)
    max_tokens = forms.CharField(
        label="Longest answer",
        required=False,
        help_text="In tokens; a token is about four letters.",
        widget=forms.NumberInput(attrs={"min": 1, "step": 1}),
    )
    top_p = forms.CharField(
        label="Word choice",
        required=False,
        help_text="Top p, 0.01 to 1. Set this or creativity.",
        widget=forms.NumberInput(attrs={"min": 0.01, "max": 1, "step": "0.01"}),
    )
    retries = forms.CharField(
        label="Tries after a failure",
        help_text="How often a request that failed is sent again.",
        widget=forms.NumberInput(attrs={"min": 0, "max": MOST_RETRIES, "step": 1}),
    )
    reasoning = forms.BooleanField(
        label="Think step by step first",
        required=False,
        help_text="Better at hard questions; slower, and uses more tokens.",
    )
    dates = forms.BooleanField(
        label="Tell it today’s date", required=False, help_text="Without it, a model does not know what day it is."
    )

    def __init__(self, data: Any, sentences: Sentences, models: Iterable[Model]) -> None:
        super().__init__(data, sentences)
        usable = list(models)
        default = next((model for model in usable if model.is_default), None)
        cards = [("", f"Default\n{default.label} at present" if default else "Default\nNo model is set")]
        cards += [(str(model.uuid), f"{model.label}\n{_note(model)}") for model in usable]
        others = [("", "Nothing"), *((str(model.uuid), f"{model.label} ({model.provider.name})") for model in usable)]
        self._offer("model", cards, "The chosen model\nis gone or switched off")
        self._offer("fallback_model", others, "A model that is gone or switched off")

    def _offer(self, name: str, choices: list[tuple[str, str]], gone: str) -> None:
        chosen = str(self.data.get(name) or "")
        known = choices if chosen in dict(choices) else [*choices, (chosen, gone)]
        self.fields[name].choices = known  # type: ignore[attr-defined]


class MemoryForm(Shown):
    """What is kept from one run to the next."""

    storage = forms.ChoiceField(
        label="Where memory is kept",
        required=True,
        widget=forms.RadioSelect,
        choices=[(key, f"{label}\n{_STORAGE_NOTES[key]}") for key, label in STORAGES.items()],
    )
    history_runs = forms.CharField(
        label="Earlier runs told again",
        required=False,
        help_text="Of the same conversation, else of the same person. Empty: 5 where memory is kept.",
        widget=forms.NumberInput(attrs={"min": 0, "max": MOST_HISTORY, "step": 1}),
    )
    window = forms.ChoiceField(
        label="When it can read no more",
        help_text="Models read only so much at once.",
        choices=list(WINDOWS.items()),
    )
    person = forms.BooleanField(
        label="Remember people",
        required=False,
        help_text="Keeps facts about whoever runs it, such as what they work on. Nobody else’s runs see them.",
    )
    summary = forms.BooleanField(
        label="Sum up what is older", required=False, help_text="Of conversations longer than the runs told again."
    )
    offload = forms.BooleanField(
        label="Put long tool results aside", required=False, help_text="The model looks into them when it needs to."
    )

    def __init__(self, data: Any, sentences: Sentences) -> None:
        super().__init__(data, sentences, prefix="memory")


class AnswerForm(Shown):
    """What the answer looks like."""

    output_mode = forms.ChoiceField(
        label="Form of the answer", required=True, widget=forms.RadioSelect, choices=list(OUTPUT_MODES.items())
    )
    output_name = forms.CharField(
        label="Name of the form", required=False, max_length=64, help_text="Such as Invoice. Empty: Answer."
    )
    output_schema = forms.CharField(
        label="JSON Schema",
        required=False,
        max_length=LARGEST_SCHEMA,
        widget=forms.Textarea(attrs={"class": "code", "rows": 8, "spellcheck": "false"}),
        help_text="Of type object. Simple ones are shown as a form when they are saved.",
    )
    language = forms.ChoiceField(
        required=False, choices=[("", "That of the question"), *((one, one) for one in LANGUAGES)]
    )
    markdown = forms.BooleanField(label="Show answers as Markdown", required=False)


class CautionForm(Shown):
    """What tools do once documents were read."""

    after_documents = forms.ChoiceField(
        label="Tools after reading documents",
        widget=forms.RadioSelect,
        choices=[(key, f"{label}\n{_CAUTION_NOTES[key]}") for key, label in AFTER_DOCUMENTS.items()],
        help_text="It is about tools that send, write or execute something outside the run.",
    )


class LimitsForm(Shown):
    """When a run is stopped."""

    seconds = forms.CharField(label="Time per run (seconds)", widget=forms.NumberInput)
    model_turns = forms.CharField(label="Model calls", widget=forms.NumberInput)
    tool_calls = forms.CharField(label="Tool calls", widget=forms.NumberInput)
    tokens = forms.CharField(label="Tokens", widget=forms.NumberInput)


class PlaceForm(Shown):
    """Where a run is carried out, and what it gets there."""

    prefix = "place"

    executor = forms.ChoiceField(label="Runs are carried out", required=False, choices=list(EXECUTORS.items()))
    cpu = forms.CharField(
        label="CPU of its pod (cores)",
        required=False,
        widget=forms.NumberInput(attrs={"step": "any", "placeholder": f"{settings.KUBERNETES_CPU:g}"}),
    )
    memory_mb = forms.CharField(
        label="Memory of its pod (MB)",
        required=False,
        widget=forms.NumberInput(attrs={"placeholder": settings.KUBERNETES_MEMORY_MB}),
    )


def _note(model: Model) -> str:
    window = f"reads {model.context_window // 1000:,}k tokens" if model.context_window else ""
    return " · ".join(part for part in (model.provider.name, model.description, window) if part)
