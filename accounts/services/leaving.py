"""Deleting one's account: what the person owns goes to colleagues, what is only theirs is forgotten, what they did stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from accounts.models import ExternalIdentity, Membership, PersonPicture, RememberedAnswer, Role, User
from accounts.services.factors import forget_factors
from accounts.services.mail import send
from accounts.services.members import LAST_MANAGER
from accounts.services.own_data import forget_all_of
from accounts.services.owning import hand_over, owned_by, words
from accounts.services.sessions import end_all_of
from audit.services import record
from mindloom import wall
from mindloom.web.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from accounts.models import Department

LABEL = "Deleted person"
LAST_ADMINISTRATOR = "You are the last administrator. Make somebody else one first."


def delete_account(*, actor: User, heirs: Mapping[int, User]) -> None:
    """Delete the person's own account. `heirs` says, by department, who takes over what they own there.

    The row stays without name and address, so that runs and the audit trail keep their author's label. Raises `Conflict` for
    the last administrator or manager, and where something is owned that nobody takes over.
    """
    before = actor.email
    with transaction.atomic():
        if actor.is_superuser:
            # All administrators' rows are held, in one order: two who leave at once cannot both be the second last.
            left = User.objects.select_for_update().filter(is_superuser=True, is_active=True).order_by("pk")
            if {one.pk for one in left} <= {actor.pk}:
                raise Conflict(LAST_ADMINISTRATOR)
        person = User.objects.select_for_update().get(pk=actor.pk)
        with wall.system("a person leaves every department"):
            _leave(actor, heirs)
        record(actor=actor, action="person.deleted", target=actor)
        forget_all_of(person)
        end_all_of(person, personal_tokens=True)
        forget_factors(person)
        for kind in (ExternalIdentity, PersonPicture, RememberedAnswer):
            kind.objects.filter(user=person).delete()  # type: ignore[attr-defined]
        _anonymise(person)
    send(before, "account_deleted")


def estates_of(person: User) -> Iterator[tuple[Department, dict[str, int], Any]]:
    """Where the person owns something, how much by word, and the colleagues who could take it over."""
    with wall.system("a person who leaves sees who can take over, in every department"):
        for membership in Membership.objects.of(person).active().select_related("department"):
            owned = owned_by(person, [membership.department_id])
            if owned:
                rows = Membership.objects.active().filter(department_id=membership.department_id)
                able = rows.exclude(user=person).exclude(role=Role.VIEWER).values_list("user_id", flat=True)
                yield membership.department, owned, User.objects.filter(pk__in=list(able)).order_by("name")


def _leave(actor: User, heirs: Mapping[int, User]) -> None:
    own = Membership.objects.of(actor).select_related("department").order_by("department_id")
    for membership in own:
        rows = Membership.objects.select_for_update(of=("self",)).filter(department_id=membership.department_id)
        managers = rows.filter(role=Role.MANAGER, status=Membership.Status.ACTIVE, user__is_active=True).order_by("pk")
        leads = membership.is_active and membership.role == Role.MANAGER
        if leads and {one.user_id for one in managers} <= {actor.pk} and membership.department.archived_at is None:
            raise Conflict(LAST_MANAGER.format(membership.department))
        _hand_over(actor, membership, heirs.get(membership.department_id))
        membership.delete()


def _hand_over(actor: User, membership: Membership, heir: User | None) -> None:
    owned = owned_by(actor, [membership.department_id])
    if not owned:
        return
    if heir is None:
        raise Conflict(
            f"In {membership.department} you own {words(owned)}. Choose who takes over, or delete them first."
        )
    hand_over(actor=actor, person=actor, to=heir, department_id=membership.department_id)


def _anonymise(person: User) -> None:
    short = person.uuid.hex[:8]
    person.email, person.name = f"deleted-{person.uuid.hex}@deleted.invalid", f"{LABEL} {short}"
    person.email_confirmed_at, person.last_login = None, None
    person.is_active = person.is_superuser = person.is_staff = False
    person.picture_digest, person.deleted_at = "", timezone.now()
    person.set_unusable_password()
    person.save()
