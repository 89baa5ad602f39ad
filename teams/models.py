"""Teams and their versions. What a team is made of is described in `definition`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar
from uuid import uuid4

from django.db import models
from django.db.models import Q

from accounts.models import Department, Role, User
from accounts.queries import departments_where, roles_of

if TYPE_CHECKING:
    from accounts.queries import Person


class TeamQuerySet(models.QuerySet["Team"]):
    """The doors to teams."""

    def visible_to(self, user: Person) -> TeamQuerySet:
        """Teams of the person's departments and what is shared with everyone; private ones only to owner and managers."""
        shared = Q(department__in=list(roles_of(user)), visibility__in=Team.SHARED)
        mine = Q(owner=user.pk, department__in=list(roles_of(user)))
        own = shared | mine | Q(department__in=departments_where(user, Role.MANAGER))
        return self.filter(own | Team.FOR_EVERYONE if roles_of(user) else own)

    def editable_by(self, user: Person) -> TeamQuerySet:
        """Their own, where they are still members, and all of the departments they manage."""
        own = Q(owner=user.pk, department__in=departments_where(user, Role.MEMBER))
        return self.filter(own | Q(department__in=departments_where(user, Role.MANAGER)))

    def runnable_by(self, user: Person) -> TeamQuerySet:
        """Published teams in use that the person sees, where they are more than a viewer."""
        member = departments_where(user, Role.MEMBER)
        reach = Q(department__in=member)
        if member:
            reach |= Team.FOR_EVERYONE
        return self.visible_to(user).active().filter(reach, published__isnull=False)

    def active(self) -> TeamQuerySet:
        """Those not archived."""
        return self.filter(archived_at=None)


class Team(models.Model):
    """A team of a department: a draft that is worked on, and published versions that people run."""

    class Visibility(models.TextChoices):
        """Who sees it."""

        PRIVATE = "private", "Only me and managers"
        DEPARTMENT = "department", "Everyone in the department"
        EVERYONE = "everyone", "Everyone in every department"

    SHARED: ClassVar = (Visibility.DEPARTMENT, Visibility.EVERYONE)
    FOR_EVERYONE: ClassVar = Q(visibility=Visibility.EVERYONE, archived_at=None, published__isnull=False)

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    department = models.ForeignKey(Department, models.PROTECT, related_name="teams")
    owner = models.ForeignKey(User, models.PROTECT, related_name="teams")
    name = models.CharField(max_length=80)
    description = models.CharField(max_length=300, blank=True)
    icon = models.CharField(max_length=40, default="users-round")
    visibility = models.CharField(max_length=16, choices=Visibility.choices, default=Visibility.DEPARTMENT)
    draft = models.JSONField(default=dict, help_text="A definition; see teams.definition")
    draft_digest = models.CharField(max_length=64, blank=True)
    published = models.ForeignKey("TeamVersion", models.SET_NULL, null=True, blank=True, related_name="+")
    archived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = TeamQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["department", "name"], condition=Q(archived_at=None), name="team_name_once_per_department"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["department", "-updated_at"], name="team_by_department")]

    def __str__(self) -> str:
        return self.name


class TeamVersion(models.Model):
    """What was published, for ever as it was: a trigger refuses changes."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="versions")
    department = models.ForeignKey(Department, models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    definition = models.JSONField()
    digest = models.CharField(max_length=64)
    note = models.CharField(max_length=300, blank=True)
    published_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    published_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["team", "number"], name="team_version_once")]

    def __str__(self) -> str:
        return f"v{self.number}"
