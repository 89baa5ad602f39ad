"""What a manager fills in for a webhook. The services check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from runs.models import State
from webhooks.models import TOLD_STATES, Webhook
from webhooks.queries import targets

if TYPE_CHECKING:
    from accounts.models import User

NOTES = {
    State.COMPLETED: "Completed\nIt ended well",
    State.FAILED: "Failed\nAn error, a limit, lost",
    State.CANCELLED: "Cancelled\nSomebody stopped it",
    State.WAITING: "Waiting\nA person has to decide",
}


class WebhookForm(forms.Form):
    """A webhook; for a new one every state is chosen."""

    name = forms.CharField(max_length=80, help_text="What managers see in the list.")
    url = forms.CharField(
        label="Address",
        max_length=2_000,
        widget=forms.URLInput(attrs={"placeholder": "https://", "autocomplete": "off", "spellcheck": "false"}),
        help_text="Messages are posted here as JSON. It can be a secret itself, so only managers see it.",
    )
    states = forms.MultipleChoiceField(
        label="Tell when a run is",
        choices=[(one.value, NOTES[one]) for one in TOLD_STATES],
        initial=[one.value for one in TOLD_STATES],
        widget=forms.CheckboxSelectMultiple,
    )
    target = forms.ChoiceField(label="Only runs of", required=False, help_text="Tests of drafts are never told.")

    def __init__(self, data: Any, user: User, webhook: Webhook | None = None) -> None:
        initial = None
        if webhook is not None:
            target = str(webhook.target_uuid) if webhook.target_uuid else ""
            initial = {"name": webhook.name, "url": webhook.url, "states": webhook.states, "target": target}
        super().__init__(data, initial=initial)
        groups = [(title, list(rows)) for title, rows in targets(user) if rows]
        if webhook is not None and webhook.target_uuid:
            own = (str(webhook.target_uuid), webhook.target_name)
            if all(own[0] != uuid for _, rows in groups for uuid, _ in rows):
                groups.append(("No longer there", [own]))
        self.fields["target"].choices = [("", "All agents and teams"), *groups]  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        """What the services take."""
        return {**self.cleaned_data, "target": self.cleaned_data["target"] or None}
