"""What people own, and handing it over when they leave. Apps above say in their `apps` module which of their rows have owners."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts.models import Role, User
from accounts.queries import may
from audit.services import record
from mindloom.web.errors import Invalid, NotAllowed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import Model, QuerySet

_owned: dict[str, type[Model]] = {}


def has_owners(word: str, model: type[Model]) -> None:
    """Rows of `model` have an `owner` and a `department`; one is called `word`, the subject of the audit trail."""
    _owned[word] = model


def owned_by(person: User, departments: Iterable[int]) -> dict[str, int]:
    """How much the person owns in these departments (ids), by word; what they own nothing of is left out."""
    ids = list(departments)
    found = {word: _rows(model, person).filter(department_id__in=ids).count() for word, model in _owned.items()}
    return {word: count for word, count in found.items() if count}


def departments_with(person: User) -> set[int]:
    """Ids of the departments, of those in scope, in which the person owns something."""
    return {
        one
        for model in _owned.values()
        for one in _rows(model, person).values_list("department_id", flat=True).distinct()
    }


def hand_over(*, actor: User, person: User, to: User, department_id: int) -> dict[str, int]:
    """Make `to` the owner of all that the person owns in the department; how much that was, by word.

    For the person and for managers. Raises `NotAllowed`, and `Invalid` about `to` when they could not look after it.
    """
    if actor != person and not may(actor, Role.MANAGER, department_id):
        raise NotAllowed("Only managers of the department may hand over what others own.")
    if to == person or not may(to, Role.MEMBER, department_id):
        sentence = f"{to.name or to} cannot look after it. Choose another member of the department."
        raise Invalid(sentence, fields={"to": [sentence]})
    moved: dict[str, int] = {}
    with transaction.atomic():
        for word, model in _owned.items():
            rows = list(_rows(model, person).filter(department_id=department_id).select_for_update(of=("self",)))
            for row in rows:
                row.owner = to  # type: ignore[attr-defined]
                row.save(update_fields=["owner"])
                record(actor=actor, action=f"{word}.transferred", target=row, to=to.email)
            if rows:
                moved[word] = len(rows)
    return moved


def owned_rows(person: User) -> Iterable[tuple[str, QuerySet[Any]]]:
    """What the person owns in the departments in scope, by word."""
    return [(word, _rows(model, person).order_by("-pk")) for word, model in _owned.items()]


def words(owned: dict[str, int]) -> str:
    """As a sentence says it: "2 agents and 1 schedule"."""
    parts = [f"{count} {word}{'s' * (count != 1)}" for word, count in owned.items()]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _rows(model: type[Model], person: User) -> QuerySet[Any]:
    found: QuerySet[Any] = model._default_manager.filter(owner=person)  # noqa: SLF001 -- Django's own name for it
    return found
