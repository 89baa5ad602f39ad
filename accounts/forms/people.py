"""What people fill in about themselves and about departments. The services check what matters; forms shape it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings

from accounts.models import (
    EXECUTORS,
    LEAST_POD_CPU,
    LEAST_POD_MEMORY_MB,
    MOST_MEGABYTES,
    MOST_POD_CPU,
    MOST_POD_MEMORY_MB,
    MOST_RUNNING,
    Department,
)
from accounts.queries import joinable_departments
from accounts.services.departments import NAME_LENGTH as DEPARTMENT_NAME_LENGTH
from accounts.services.people import NAME_LENGTH, time_zones
from accounts.services.strength import LONGEST_PASSWORD

if TYPE_CHECKING:
    from mindloom.web.errors import MindloomError

IN_PODS = ("run_executor", "max_pod_cpu", "max_pod_memory_mb")
"""Fields of a department that are asked where runs may be carried out in pods."""
HINT = "At least 10 characters; several words are easier to keep in mind than signs."


class PeopleForm(forms.Form):
    """A form that can take a service's sentences."""

    def refuse(self, error: MindloomError) -> None:
        """Put the sentences of an error beside the fields they are about, and the rest on top."""
        known = {name: sentences for name, sentences in error.fields.items() if name in self.fields}
        for name, sentences in known.items():
            for sentence in sentences:
                self.add_error(name, sentence)
        if not known:
            self.add_error(None, error.message)


def _address(**attributes: str) -> forms.CharField:
    widget = forms.EmailInput(attrs={"autocomplete": "username", "spellcheck": "false", **attributes})
    return forms.CharField(label="E-mail", max_length=254, widget=widget)


def _password(label: str = "Password", *, new: bool = False) -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": "new-password" if new else "current-password"})
    hint = HINT if new else ""
    return forms.CharField(label=label, max_length=LONGEST_PASSWORD, strip=False, widget=widget, help_text=hint)


def _name() -> forms.CharField:
    return forms.CharField(max_length=NAME_LENGTH, widget=forms.TextInput(attrs={"autocomplete": "name"}))


class DepartmentField(forms.ModelChoiceField):
    """A department that takes new members, by its uuid."""

    def __init__(self, **kwargs: Any) -> None:
        gone = {"invalid_choice": "There is no such department any more. Choose another one."}
        super().__init__(
            Department.objects.none(), to_field_name="uuid", empty_label="Choose…", error_messages=gone, **kwargs
        )

    def to_python(self, value: Any) -> Department | None:
        """What is no uuid at all is an unknown department too."""
        try:
            return super().to_python(value)
        except forms.ValidationError:
            raise forms.ValidationError(self.error_messages["invalid_choice"], code="invalid_choice") from None


class SignInForm(PeopleForm):
    """Address and password."""

    email = _address(autofocus="")
    password = _password()


class SignUpForm(PeopleForm):
    """A new account."""

    name = _name()
    email = _address()
    password = _password(new=True)
    department = DepartmentField(help_text="Its managers let you in, or your company's address does.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["department"].queryset = joinable_departments()  # type: ignore[attr-defined]


class JoinForm(PeopleForm):
    """One more department."""

    department = DepartmentField()

    def __init__(self, *args: Any, without: list[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = joinable_departments().exclude(pk__in=without)
        self.fields["department"].queryset = others  # type: ignore[attr-defined]


class SetupForm(PeopleForm):
    """The first administrator."""

    name = _name()
    email = _address()
    password = _password(new=True)


class ForgotForm(PeopleForm):
    """Where a link is mailed to."""

    email = _address(autofocus="")


class NewPasswordForm(PeopleForm):
    """A new password, by a mailed link."""

    password = _password("New password", new=True)


class ConfirmForm(PeopleForm):
    """The password that shows that the account, not only the mailbox, is theirs."""

    password = _password()


class PasswordChangeForm(PeopleForm):
    """A new password for an old one."""

    current = _password("Current password")
    new = _password("New password", new=True)


class ProfileForm(PeopleForm):
    """What a person may change about themselves."""

    name = _name()
    theme = forms.ChoiceField(
        choices=[
            ("system", "As the device\nFollows its light or dark setting"),
            ("light", "Light\nDark text on white"),
            ("dark", "Dark\nLight text on black"),
        ],
        widget=forms.RadioSelect,
    )
    density = forms.ChoiceField(
        choices=[
            ("comfortable", "Comfortable\nRoom between lines"),
            ("compact", "Compact\nMore on the screen"),
        ],
        widget=forms.RadioSelect,
    )
    has_shortcuts = forms.BooleanField(
        label="Keyboard shortcuts",
        required=False,
        help_text="Single keys act on pages, such as G R for the runs; never inside fields.",
        widget=forms.CheckboxInput(attrs={"role": "switch"}),
    )
    time_zone = forms.ChoiceField(choices=lambda: [(zone, zone.replace("_", " ")) for zone in time_zones()])


class DepartmentForm(PeopleForm):
    """A department."""

    name = forms.CharField(max_length=DEPARTMENT_NAME_LENGTH, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    email_domains = forms.CharField(
        label="E-mail domains",
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 3, "class": "code", "spellcheck": "false"}),
        help_text="One a line, as in example.org. Whoever confirms an address there is let in without a manager.",
    )

    max_running = forms.IntegerField(
        label="Runs at once",
        required=False,
        min_value=1,
        max_value=MOST_RUNNING,
        help_text=f"How many of its runs may be under way at once. Empty: {settings.RUNS_PER_DEPARTMENT}, as everywhere.",
    )

    storage_mb = forms.IntegerField(
        label="Storage in megabytes",
        required=False,
        min_value=1,
        max_value=MOST_MEGABYTES,
        help_text="What its content buckets and the files of its runs may take up together. Empty: no limit.",
    )

    run_executor = forms.ChoiceField(
        label="Where its runs are carried out",
        required=False,
        choices=[("", f"As everywhere: {dict(EXECUTORS)[settings.RUN_EXECUTOR].lower()}"), *EXECUTORS],
        help_text="Agents can choose for themselves.",
    )

    max_pod_cpu = forms.FloatField(
        label="Most CPU of a pod, in cores",
        required=False,
        min_value=LEAST_POD_CPU,
        max_value=MOST_POD_CPU,
        help_text=f"How much one of its runs may ask for. Empty: {settings.KUBERNETES_MAX_CPU:g}, as everywhere.",
    )

    max_pod_memory_mb = forms.IntegerField(
        label="Most memory of a pod, in megabytes",
        required=False,
        min_value=LEAST_POD_MEMORY_MB,
        max_value=MOST_POD_MEMORY_MB,
        help_text=f"How much one of its runs may ask for. Empty: {settings.KUBERNETES_MAX_MEMORY_MB}, as everywhere.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not settings.KUBERNETES_EXECUTOR_IMAGE:
            for name in IN_PODS:
                del self.fields[name]

    def clean_email_domains(self) -> list[str]:
        """The lines, split at white space and commas."""
        text: str = self.cleaned_data["email_domains"]
        return text.replace(",", " ").split()
