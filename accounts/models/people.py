"""People, departments and who belongs where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone

if TYPE_CHECKING:
    from collections.abc import Iterable

# Letters that only look like a-z, or that some case rule turns into them, never name somebody else's account.
plain_address = RegexValidator(
    r"\A[!-~]+\Z", "Write the address in plain letters, digits and signs, as in name@example.org.", code="plain_address"
)


class UserManager(BaseUserManager["User"]):
    """Makes people; addresses are kept as typed and compared without case."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A person with this address. Without a password nobody can sign in as them."""
        user = self.model(email=self.normalize_email(email).strip(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """An administrator, as `manage.py createsuperuser` makes them; whoever may run it vouches for the address."""
        fields.setdefault("email_confirmed_at", timezone.now())
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        """The person with this address, in any case. Anything that cannot be an address is nobody's."""
        found = self.by_address(username or "")
        if found is None:
            raise self.model.DoesNotExist
        return found

    def by_address(self, address: str) -> User | None:
        """The person with this address, in any case; None for an unknown one and for what cannot be an address."""
        address = address.strip()
        if not (address.isascii() and address.isprintable()):
            return None
        return self.alias(lowered=Lower("email")).filter(lowered=address.lower()).first()


class User(AbstractBaseUser, PermissionsMixin):
    """A person. `is_superuser` makes an administrator, who may act in every department."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    email = models.EmailField("e-mail", unique=True, validators=[plain_address])
    email_confirmed_at = models.DateTimeField(
        null=True, blank=True, help_text="When the person showed that the address is theirs."
    )
    name = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True, help_text="Without it the person cannot sign in.")
    is_staff = models.BooleanField("may open the admin", default=False)
    theme = models.CharField(
        max_length=8, default="system", choices=[("system", "As the device"), ("light", "Light"), ("dark", "Dark")]
    )
    time_zone = models.CharField(max_length=64, default="UTC")
    density = models.CharField(
        max_length=12, default="comfortable", choices=[("comfortable", "Comfortable"), ("compact", "Compact")]
    )
    has_shortcuts = models.BooleanField("keyboard shortcuts", default=True)
    picture_digest = models.CharField(max_length=16, blank=True, editable=False)
    sign_in_epoch = models.PositiveIntegerField(
        default=0, editable=False, help_text="Tokens from before its last change are over."
    )
    second_factor_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when the person proves themselves by more than a password."
    )
    deleted_at = models.DateTimeField(null=True, blank=True, help_text="When the person deleted their account.")
    joined_at = models.DateTimeField(auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                Lower("email"), name="user_email_unique", violation_error_message="This address is taken."
            )
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def is_administrator(self) -> bool:
        """Whether the person may act in every department."""
        return self.is_active and self.is_superuser

    @property
    def picture_address(self) -> str:
        """Where the person's picture is; empty without one."""
        if not self.picture_digest:
            return ""
        return f"{reverse('accounts:picture', args=[self.uuid])}?v={self.picture_digest}"

    @property
    def email_domain(self) -> str:
        """What follows the @, in lower case."""
        return self.email.rpartition("@")[2].lower()


MOST_RUNNING = 10_000
MOST_MEGABYTES = 1_000_000_000
LEAST_POD_CPU, MOST_POD_CPU = 0.01, 256.0
LEAST_POD_MEMORY_MB, MOST_POD_MEMORY_MB = 256, 1024 * 1024
EXECUTORS = (("celery", "In a worker"), ("kubernetes", "In a pod of its own"))
"""Where runs are carried out, and how people choose it."""


class DepartmentQuerySet(models.QuerySet["Department"]):
    """Reads of departments."""

    def working(self) -> DepartmentQuerySet:
        """Those that are not archived."""
        return self.filter(archived_at=None)

    def by_name(self) -> DepartmentQuerySet:
        """In the order of their names."""
        return self.order_by(Lower("name"))


class Department(models.Model):
    """The tenant: a part of the organisation whose data others never see.

    Of `keep_…_days` empty means what the installation says, and 0 means for ever.
    """

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=80, unique=True)
    email_domains = ArrayField(
        models.CharField(max_length=253),
        default=list,
        blank=True,
        help_text="People whose confirmed address ends in one of these belong here at once.",
    )
    keep_runs_days = models.PositiveIntegerField(null=True, blank=True, validators=[MaxValueValidator(36_500)])
    keep_events_days = models.PositiveIntegerField(null=True, blank=True, validators=[MaxValueValidator(36_500)])
    keep_files_days = models.PositiveIntegerField(null=True, blank=True, validators=[MaxValueValidator(36_500)])
    max_running = models.PositiveSmallIntegerField(
        "runs at once",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_RUNNING)],
        help_text="How many of its runs may be under way at once. Empty: as many as the installation's setting says.",
    )
    storage_mb = models.PositiveIntegerField(
        "storage in megabytes",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_MEGABYTES)],
        help_text="What its content buckets and the files of its runs may take up together. Empty: no limit.",
    )
    allowed_models = ArrayField(
        models.UUIDField(), null=True, blank=True, help_text="Models that it may use; empty for all"
    )
    allowed_tools = ArrayField(
        models.CharField(max_length=100), null=True, blank=True, help_text="Tools that it may use; empty for all"
    )
    second_factor_from = models.CharField(
        max_length=16,
        blank=True,
        help_text="The least role that must prove itself by more than a password. Empty: nobody must.",
    )
    run_executor = models.CharField(
        "where its runs are carried out",
        max_length=16,
        blank=True,
        default="",
        db_default="",
        choices=EXECUTORS,
        help_text="Unless an agent says otherwise. Empty: as the installation says.",
    )
    max_pod_cpu = models.FloatField(
        "most CPU of a pod",
        null=True,
        blank=True,
        validators=[MinValueValidator(LEAST_POD_CPU), MaxValueValidator(MOST_POD_CPU)],
        help_text="How many cores one of its runs may ask for. Empty: as the installation says.",
    )
    max_pod_memory_mb = models.PositiveIntegerField(
        "most memory of a pod in megabytes",
        null=True,
        blank=True,
        validators=[MinValueValidator(LEAST_POD_MEMORY_MB), MaxValueValidator(MOST_POD_MEMORY_MB)],
        help_text="How much one of its runs may ask for. Empty: as the installation says.",
    )
    archived_at = models.DateTimeField(null=True, blank=True)

    objects = DepartmentQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(Lower("name"), name="department_name_unique")]

    def __str__(self) -> str:
        return self.name

    @property
    def executor(self) -> str:
        """Where its runs are carried out unless an agent says otherwise."""
        return self.run_executor or settings.RUN_EXECUTOR

    @property
    def pod_limits(self) -> tuple[float, int]:
        """The most cores and megabytes that one of its runs may ask for."""
        cpu, memory = self.max_pod_cpu, self.max_pod_memory_mb
        return cpu or settings.KUBERNETES_MAX_CPU, memory or settings.KUBERNETES_MAX_MEMORY_MB


class Role(models.TextChoices):
    """What a member may do, from little to much."""

    VIEWER = "viewer", "Viewer"
    MEMBER = "member", "Member"
    MANAGER = "manager", "Manager"

    @property
    def rank(self) -> int:
        """0 for the least."""
        return list(Role).index(self)

    def includes(self, other: Role) -> bool:
        """Whether this role may do what `other` may."""
        return self.rank >= other.rank


class MembershipQuerySet(models.QuerySet["Membership"]):
    """Reads of memberships."""

    def active(self) -> MembershipQuerySet:
        """Accepted ones, of departments that still work, of people who may sign in."""
        return self.filter(status=Membership.Status.ACTIVE, department__archived_at=None, user__is_active=True)

    def pending(self) -> MembershipQuerySet:
        """Those that wait for a manager, of departments that still work and people who may sign in."""
        return self.filter(status=Membership.Status.PENDING, department__archived_at=None, user__is_active=True)

    def of(self, user: User) -> MembershipQuerySet:
        """One person's."""
        return self.filter(user=user)

    def in_departments(self, departments: Iterable[int]) -> MembershipQuerySet:
        """Those in these departments (ids)."""
        return self.filter(department_id__in=departments)


class Membership(models.Model):
    """A person in a department."""

    class Status(models.TextChoices):
        """Whether the department has accepted the person."""

        PENDING = "pending", "Waiting for a manager"
        ACTIVE = "active", "Active"

    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    department = models.ForeignKey(Department, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.MEMBER)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PENDING)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "department"], name="membership_once"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.department} ({self.get_role_display()})"

    @property
    def is_active(self) -> bool:
        """Whether a manager, or the address's domain, has let the person in."""
        return self.status == self.Status.ACTIVE


class RememberedAnswer(models.Model):
    """The answer to a request that carried an Idempotency-Key, so that a repeated request gets the same one."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    request_digest = models.CharField(max_length=64, help_text="SHA-256 of method, path and body")
    status_code = models.PositiveSmallIntegerField(null=True, help_text="Empty while the first request is under way")
    body = models.JSONField(null=True)
    location = models.CharField(max_length=500, blank=True)
    departments = ArrayField(
        models.BigIntegerField(),
        default=list,
        help_text="What the person saw then; who has lost one of them gets no body",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "key"], name="remembered_answer_once")]

    def __str__(self) -> str:
        return f"{self.key}: {self.status_code or 'under way'}"
