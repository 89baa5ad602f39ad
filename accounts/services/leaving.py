"""Deleting one's account: what the person owns goes to colleagues, what is only theirs is forgotten, what they did stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from accounts.models import Department, ExternalIdentity, Membership, PersonPicture, RememberedAnswer, Role, User
from accounts.services.factors import forget_factors
from accounts.services.mail import send
from accounts.services.members import LAST_MANAGER
from accounts.services.own_data import forget_all_of
from accounts.services.owning import departments_with, hand_over, owned_by, words
from accounts.services.sessions import end_all_of
from audit.services import record
from mindloom import wall
from mindloom.web.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LABEL = "Deleted person"
LAST_ADMINISTRATOR = "You are the last administrator. Make somebody else one first, under Everybody."


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
    """Where the person owns something, how much by word, and the colleagues who could take it over.

    What is in archived departments stays as it is: nobody works there, and managers can take it over when one is opened again.
    """
    with wall.system("a person who leaves sees who can take over, in every department"):
        # Administrators own things in departments that they are no members of, too.
        for department in Department.objects.working().filter(pk__in=departments_with(person)).by_name():
            rows = Membership.objects.active().filter(department_id=department.pk)
            able = rows.exclude(user=person).exclude(role=Role.VIEWER).values_list("user_id", flat=True)
            colleagues = User.objects.filter(pk__in=list(able)).order_by("name")
            yield department, owned_by(person, [department.pk]), colleagues


def _leave(actor: User, heirs: Mapping[int, User]) -> None:
    own = Membership.objects.of(actor).select_related("department").order_by("department_id")
    for membership in own:
        rows = Membership.objects.select_for_update(of=("self",)).filter(department_id=membership.department_id)
        managers = rows.filter(role=Role.MANAGER, status=Membership.Status.ACTIVE, user__is_active=True).order_by("pk")
        leads = membership.is_active and membership.role == Role.MANAGER
        if leads and {one.user_id for one in managers} <= {actor.pk} and membership.department.archived_at is None:
            raise Conflict(LAST_MANAGER.format(membership.department))
    for department, owned, _ in estates_of(actor):
        heir = heirs.get(department.pk)
        if heir is None:
            raise Conflict(f"In {department} you own {words(owned)}. Choose who takes over, or delete them first.")
        hand_over(actor=actor, person=actor, to=heir, department_id=department.pk)
    own.delete()


def _anonymise(person: User) -> None:
    short = person.uuid.hex[:8]
    person.email, person.name = f"deleted-{person.uuid.hex}@deleted.invalid", f"{LABEL} {short}"
    person.email_confirmed_at, person.last_login = None, None
    person.is_active = person.is_superuser = person.is_staff = False
    person.picture_digest, person.deleted_at = "", timezone.now()
    person.set_unusable_password()
    person.save()
