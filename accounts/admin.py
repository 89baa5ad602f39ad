"""People, departments and memberships in the Django admin: to look at, and to change by the services only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts import services
from accounts.models import Department, Membership, User
from mindloom.web.errors import MindloomError

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse


def sign_in(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """The admin has no door of its own: the sign-in page counts wrong tries for all."""
    if admin.site.has_permission(request):
        return redirect("admin:index")
    if request.user.is_authenticated:
        raise PermissionDenied
    return redirect_to_login(request.GET.get("next") or f"{request.path.removesuffix('login/')}")


def change_password(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """Passwords are changed on the profile."""
    return redirect("accounts:password_change")


admin.site.login = sign_in  # type: ignore[method-assign,assignment]
admin.site.password_change = change_password  # type: ignore[method-assign,assignment]
# Rights are roles in departments; tokens are nobody's to look at.
for unused in (Group, OutstandingToken, BlacklistedToken):
    if admin.site.is_registered(unused):
        admin.site.unregister(unused)


def _for_each(request: HttpRequest, chosen: QuerySet[Any], verb: Callable[[Any], object], done: str) -> None:
    count = 0
    for one in chosen:
        try:
            verb(one)
        except MindloomError as error:
            messages.error(request, f"{one}: {error.message}")
        else:
            count += 1
    if count:
        messages.success(request, f"{done}: {count}")


class ByServices:
    """No row is added, changed or deleted but by an action, and so by a service."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(User)
class UserAdmin(ByServices, admin.ModelAdmin):
    list_display = ("email", "name", "is_active", "is_superuser", "email_confirmed_at", "last_login")
    list_filter = ("is_active", "is_superuser")
    search_fields = ("email", "name")
    ordering = ("email",)
    fields = (
        *("uuid", "email", "email_confirmed_at", "name", "is_active", "is_superuser", "is_staff"),
        *("second_factor_at", "theme", "time_zone", "joined_at", "last_login"),
    )
    readonly_fields = fields
    actions = ("deactivate", "reactivate", "promote", "demote", "mail_password_link", "reset_second_factor")

    @admin.action(description="Deactivate: they are signed out and cannot sign in")
    def deactivate(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        actor = cast("User", request.user)
        _for_each(request, chosen, lambda one: services.deactivate_person(actor=actor, person=one), "Deactivated")

    @admin.action(description="Reactivate")
    def reactivate(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        actor = cast("User", request.user)
        _for_each(request, chosen, lambda one: services.reactivate_person(actor=actor, person=one), "Reactivated")

    @admin.action(description="Make administrators, who may act in every department")
    def promote(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        actor = cast("User", request.user)
        _for_each(request, chosen, lambda one: services.promote_person(actor=actor, person=one), "Made administrators")

    @admin.action(description="Take an administrator's rights away")
    def demote(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        actor = cast("User", request.user)
        _for_each(request, chosen, lambda one: services.demote_person(actor=actor, person=one), "Taken")

    @admin.action(description="Mail a link to set a new password")
    def mail_password_link(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        actor = cast("User", request.user)
        _for_each(request, chosen, lambda one: services.start_password_reset(actor=actor, person=one), "Mailed")

    @admin.action(description="Take the second factor of somebody who has lost it")
    def reset_second_factor(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        actor = cast("User", request.user)
        _for_each(request, chosen, lambda one: services.reset_second_factor(actor=actor, person=one), "Taken")


class DepartmentFields(forms.ModelForm):
    """A department; what is wrong is said beside the field, as the services say it."""

    class Meta:
        model = Department
        fields = (
            "name",
            "email_domains",
            "max_running",
            "storage_mb",
            "run_executor",
            "max_pod_cpu",
            "max_pod_memory_mb",
            "keep_runs_days",
            "keep_events_days",
            "keep_files_days",
        )
        help_texts = dict.fromkeys(
            ("keep_runs_days", "keep_events_days", "keep_files_days"),
            "Days after a run has ended. Empty: as the installation says. 0: for ever.",
        )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        try:
            services.check_department(**{name: values[name] for name in ("name", "email_domains") if name in values})
        except MindloomError as error:
            for name, sentences in error.fields.items():
                self.add_error(name, sentences)
        return values


@admin.register(Department)
class DepartmentAdmin(admin.ModelAdmin):
    list_display = ("name", "slug", "archived_at", "email_domains")
    search_fields = ("name", "slug")
    ordering = ("name",)
    form = DepartmentFields
    actions = ("archive", "restore")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Department, form: Any, change: bool) -> None:  # noqa: FBT001 -- Django's
        actor, values = cast("User", request.user), dict(form.cleaned_data)
        kept = {kind: values.pop(f"keep_{kind}_days") for kind in ("runs", "events", "files")}
        if change:
            made = services.update_department(actor=actor, department=obj, **values)
        else:
            made = services.create_department(actor=actor, **values)
            obj.pk, obj.slug = made.pk, made.slug
        if any(f"keep_{kind}_days" in form.changed_data for kind in kept):
            services.set_retention(actor=actor, department=made, **kept)

    @admin.action(description="Archive: members lose access, nothing is deleted")
    def archive(self, request: HttpRequest, chosen: QuerySet[Department]) -> None:
        actor = cast("User", request.user)
        _for_each(request, chosen, lambda one: services.archive_department(actor=actor, department=one), "Archived")

    @admin.action(description="Open again")
    def restore(self, request: HttpRequest, chosen: QuerySet[Department]) -> None:
        actor = cast("User", request.user)
        _for_each(request, chosen, lambda one: services.restore_department(actor=actor, department=one), "Opened")


@admin.register(Membership)
class MembershipAdmin(ByServices, admin.ModelAdmin):
    list_display = ("user", "department", "role", "status", "created_at")
    list_filter = ("status", "role", "department")
    list_select_related = ("user", "department")
    search_fields = ("user__email", "user__name", "department__name")
    ordering = ("department__name", "user__email")
    readonly_fields = ("user", "department", "role", "status", "created_at")
    actions = ("accept", "remove")

    @admin.action(description="Accept those that wait")
    def accept(self, request: HttpRequest, chosen: QuerySet[Membership]) -> None:
        actor = cast("User", request.user)
        _for_each(request, chosen, lambda one: services.accept_member(actor=actor, membership=one), "Accepted")

    @admin.action(description="Remove from the department")
    def remove(self, request: HttpRequest, chosen: QuerySet[Membership]) -> None:
        actor = cast("User", request.user)
        _for_each(request, chosen, lambda one: services.remove_member(actor=actor, membership=one), "Removed")
