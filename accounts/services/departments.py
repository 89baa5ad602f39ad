"""Departments: administrators make and archive them, people enter them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify

from accounts.models import (
    EXECUTORS,
    LEAST_POD_CPU,
    LEAST_POD_MEMORY_MB,
    MOST_MEGABYTES,
    MOST_POD_CPU,
    MOST_POD_MEMORY_MB,
    MOST_RUNNING,
    Department,
    Membership,
    Role,
    User,
)
from accounts.queries import may, roles_of
from accounts.services.rights import check_administrator
from audit.services import difference, record
from mindloom import wall
from mindloom.web.errors import Conflict, Invalid, NotAllowed, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable

NAME_LENGTH = 80
MOST_DOMAINS = 50
MOST_DAYS = 36_500
_BOUNDS: dict[str, tuple[float, float]] = {
    "max_running": (1, MOST_RUNNING),
    "storage_mb": (1, MOST_MEGABYTES),
    "max_pod_cpu": (LEAST_POD_CPU, MOST_POD_CPU),
    "max_pod_memory_mb": (LEAST_POD_MEMORY_MB, MOST_POD_MEMORY_MB),
}
DAYS_WRONG = f"Write a number of days from 0 (for ever) to {MOST_DAYS:,}, or nothing."
_CHANGED = ("name", "email_domains", "run_executor", *_BOUNDS)
NO_KUBERNETES = "This installation has no Kubernetes. An administrator sets it up with KUBERNETES_EXECUTOR_IMAGE."
TAKEN = "There is a department of this name already."
_DOMAIN = re.compile(r"(?=.{4,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]\Z")
# Anybody gets an address there in a minute.
_PUBLIC_DOMAINS = frozenset(
    (
        *("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com", "aol.com"),
        *("icloud.com", "me.com", "gmx.de", "gmx.net", "gmx.com", "web.de", "mail.com", "proton.me", "protonmail.com"),
        *("yandex.ru", "mail.ru", "qq.com", "163.com"),
    )
)


def create_department(
    *,
    actor: User,
    name: str,
    email_domains: Iterable[str] = (),
    run_executor: str = "",
    **limits: float | None,
) -> Department:
    """Make a department; `limits` are those of `update_department`. For administrators. Raises `Invalid` with the fields at fault."""
    check_administrator(actor)
    name, domains = _checked_name(name), _checked_domains(email_domains)
    limits = _checked_limits(**limits)
    executor = _checked_executor(run_executor)
    try:
        with transaction.atomic():
            given = {"email_domains": domains, "run_executor": executor, **limits}
            made = Department.objects.create(name=name, slug=_free_slug(name), **given)
            record(actor=actor, action="department.created", target=made, department_id=made.pk, **given)
    except IntegrityError:
        raise Invalid(fields={"name": [TAKEN]}) from None
    return made


def update_department(
    *,
    actor: User,
    department: Department,
    name: str | None = None,
    email_domains: Iterable[str] | None = None,
    run_executor: str | None = None,
    **limits: float | None,
) -> Department:
    """Change what is given; the address in links stays. `limits` are `max_running`, `storage_mb`, `max_pod_cpu` (cores) and
    `max_pod_memory_mb`: None for what the installation says, or, of storage, no limit. `run_executor` is "", celery or kubernetes.

    For administrators. Raises `Invalid`.
    """
    check_administrator(actor)
    before = {one: getattr(department, one) for one in _CHANGED}
    if name is not None:
        department.name = _checked_name(name)
    if email_domains is not None:
        department.email_domains = _checked_domains(email_domains)
    if run_executor is not None:
        department.run_executor = _checked_executor(run_executor)
    for limit, value in _checked_limits(**limits).items():
        setattr(department, limit, value)
    try:
        with transaction.atomic():
            changes = {one: getattr(department, one) for one in _CHANGED}
            department.save(update_fields=list(changes))
            noted = difference(before, changes)
            record(actor=actor, action="department.updated", target=department, department_id=department.pk, **noted)
    except IntegrityError:
        raise Invalid(fields={"name": [TAKEN]}) from None
    return department


def set_retention(
    *, actor: User, department: Department, runs: int | None, events: int | None, files: int | None
) -> Department:
    """How many days the department keeps runs, the pieces of their logs, and files; None is what the installation says, 0 for ever.

    For its managers and for administrators. Raises `Invalid` with the fields at fault.
    """
    if not (actor.is_administrator or may(actor, Role.MANAGER, department.pk)):
        raise NotAllowed("Only managers of the department and administrators decide how long things are kept.")
    given = {"keep_runs_days": runs, "keep_events_days": events, "keep_files_days": files}
    wrong = {name: [DAYS_WRONG] for name, days in given.items() if days is not None and not 0 <= days <= MOST_DAYS}
    if wrong:
        raise Invalid(fields=wrong)
    with transaction.atomic():
        locked = Department.objects.select_for_update().get(pk=department.pk)
        noted = difference({name: getattr(locked, name) for name in given}, given)
        Department.objects.filter(pk=department.pk).update(**given)
        record(actor=actor, action="retention.changed", target=department, department_id=department.pk, **noted)
    department.refresh_from_db()
    return department


def archive_department(*, actor: User, department: Department) -> Department:
    """Close a department: its members lose access with their next request; nothing is deleted. For administrators."""
    check_administrator(actor)
    if not Department.objects.working().filter(pk=department.pk).update(archived_at=timezone.now()):
        raise Conflict(f"{department} is archived already.")
    record(actor=actor, action="department.archived", target=department, department_id=department.pk)
    department.refresh_from_db()
    return department


def restore_department(*, actor: User, department: Department) -> Department:
    """Open an archived department again, with the members it had. For administrators."""
    check_administrator(actor)
    if not Department.objects.exclude(archived_at=None).filter(pk=department.pk).update(archived_at=None):
        raise Conflict(f"{department} is not archived.")
    record(actor=actor, action="department.restored", target=department, department_id=department.pk)
    department.refresh_from_db()
    return department


def check_department(*, name: str | None = None, email_domains: Iterable[str] | None = None) -> None:
    """Raises `Invalid` for what could not be a department's name or domains."""
    if name is not None:
        _checked_name(name)
    if email_domains is not None:
        _checked_domains(email_domains)


def switch_department(*, actor: User, department: Department) -> Department:
    """Enter a department that the person may work in. An administrator who is no member there leaves a trace.

    Raises `NotFound` for all others.
    """
    if department.pk not in roles_of(actor):
        raise NotFound("There is no such department, or it is not yours.")
    if actor.is_administrator and not _is_member(actor, department):
        record(actor=actor, action="department.entered", target=department, department_id=department.pk)
    return department


def _is_member(user: User, department: Department) -> bool:
    with wall.tenant([department.pk]):
        return Membership.objects.of(user).active().in_departments([department.pk]).exists()


def _checked_name(name: str) -> str:
    words = " ".join(name.split())
    if not words or len(words) > NAME_LENGTH or not words.isprintable():
        raise Invalid(fields={"name": [f"Write a name of 1 to {NAME_LENGTH} letters, digits and signs."]})
    return words


def _checked_domains(given: Iterable[str]) -> list[str]:
    domains = sorted({one.strip().lower().removeprefix("@") for one in given} - {""})
    if len(domains) > MOST_DOMAINS:
        raise Invalid(fields={"email_domains": [f"A department takes at most {MOST_DOMAINS} domains."]})
    sentences = [
        f"{domain[:80]} is not a domain. Write it as in example.org."
        if not _DOMAIN.match(domain)
        else f"Anybody can get an address at {domain}, so it cannot open a department."
        for domain in domains
        if not _DOMAIN.match(domain) or domain in _PUBLIC_DOMAINS
    ]
    if sentences:
        raise Invalid(fields={"email_domains": sentences})
    return domains


def _checked_limits(**limits: float | None) -> dict[str, float | None]:
    wrong = {
        name: [f"Write a number from {_BOUNDS[name][0]:,} to {_BOUNDS[name][1]:,}, or leave it empty."]
        for name, number in limits.items()
        if number is not None and not _BOUNDS[name][0] <= number <= _BOUNDS[name][1]
    }
    if wrong:
        raise Invalid(fields=wrong)
    return limits


def _checked_executor(name: str) -> str:
    if name == "kubernetes" and not settings.KUBERNETES_EXECUTOR_IMAGE:
        raise Invalid(fields={"run_executor": [NO_KUBERNETES]})
    if name not in {"", *dict(EXECUTORS)}:
        raise Invalid(fields={"run_executor": [f"Choose one of {', '.join(dict(EXECUTORS))}, or nothing."]})
    return name


def _free_slug(name: str) -> str:
    base = slugify(name)[:70] or "department"
    taken = set(Department.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return next(slug for slug in (base, *(f"{base}-{n}" for n in range(2, 10_000))) if slug not in taken)
