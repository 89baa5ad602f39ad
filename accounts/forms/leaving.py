"""What is asked of somebody who deletes their account."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.forms.factors import ProveForm
from accounts.models import User
from accounts.services.leaving import estates_of
from accounts.services.owning import words


class LeaveForm(ProveForm):
    """Who takes over, for each department in which the person owns something; then the word that means it."""

    confirm = forms.CharField(
        label="Type “delete” to go on",
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, person=person, **kwargs)
        self._heirs: dict[str, int] = {}
        for department, owned, colleagues in estates_of(person):
            field = f"heir_{department.pk}"
            self._heirs[field] = department.pk
            self.fields[field] = forms.ModelChoiceField(
                colleagues,
                label=f"Who takes over in {department.name}",
                to_field_name="uuid",
                empty_label="Choose…",
                help_text=f"You own {words(owned)} there."
                + ("" if colleagues.exists() else " Nobody else could look after it: delete it first."),
                error_messages={"invalid_choice": "Choose another member of the department."},
            )
        self.order_fields([*self._heirs, "password", "confirm"])

    def clean_confirm(self) -> str:
        """Exactly the word."""
        value: str = self.cleaned_data["confirm"]
        if value.strip().lower() != "delete":
            raise forms.ValidationError("Type the word “delete”.")
        return value

    @property
    def heirs(self) -> dict[int, User]:
        """Who was chosen, by department."""
        return {department: self.cleaned_data[field] for field, department in self._heirs.items()}

    @property
    def heir_fields(self) -> list[forms.BoundField]:
        """The fields of the departments."""
        return [self[field] for field in self._heirs]
