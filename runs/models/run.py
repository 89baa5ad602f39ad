"""One execution of an agent or a team."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, cast
from uuid import uuid4

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Case, F, Q, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce

from accounts.models import Department, Role, User
from accounts.queries import departments_where, roles_of
from agents.models import Agent, AgentVersion
from teams.models import Team, TeamVersion

if TYPE_CHECKING:
    from accounts.queries import Person


class State(models.TextChoices):
    """Where a run stands. queued → running → completed | failed | cancelled; running → waiting → queued."""

    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    WAITING = "waiting", "Waiting"
    COMPLETED = "completed", "Completed"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


LIVE_STATES = (State.QUEUED, State.RUNNING, State.WAITING)
TERMINAL_STATES = (State.COMPLETED, State.FAILED, State.CANCELLED)


class Priority(models.IntegerChoices):
    """What is taken from the queue first. Each limit keeps a share for people, which background runs leave free."""

    BACKGROUND = 0, "in the background"
    PEOPLE = 10, "somebody waits"


class Trigger(models.TextChoices):
    """What started a run."""

    PERSON = "person", "a person"
    TEST = "test", "a test of a draft"
    API = "api", "the API"
    CONVERSATION = "conversation", "a conversation"
    SCHEDULE = "schedule", "a schedule"
    SEED = "seed", "the demonstration"

    @property
    def priority(self) -> Priority:
        """Who waits for the answer decides."""
        return Priority.BACKGROUND if self == Trigger.SCHEDULE else Priority.PEOPLE


class Executor(models.TextChoices):
    """Where runs are carried out."""

    CELERY = "celery", "In a worker"
    KUBERNETES = "kubernetes", "In a pod of its own"


class Reason(models.TextChoices):
    """Why a run is not running, in a word; `Run.reason_message` says it in a sentence."""

    NONE = "", ""
    WAITING_FOR_WORKER = "waiting_for_worker", "Waiting for a worker"
    WAITING_FOR_POD = "waiting_for_pod", "Its pod starts"
    AGENT_ERROR = "agent_error", "The agent failed"
    SYSTEM_ERROR = "system_error", "Mindloom failed"
    TIMEOUT = "timeout", "Too slow"
    LOST = "lost", "The worker vanished"
    BUDGET = "budget", "A limit was reached"
    REJECTED = "rejected", "Refused"
    STOPPED = "stopped", "Stopped"
    WAITING_FOR_PERSON = "waiting_for_person", "Waiting for a person"
    IMAGE_NOT_FOUND = "image_not_found", "Image not found"
    IMAGE_FORBIDDEN = "image_forbidden", "No right to the image"
    NO_NODE = "no_node", "No node fits"
    QUOTA = "quota", "Quota used up"
    EVICTED = "evicted", "Evicted"
    NODE_LOST = "node_lost", "Node lost"
    OUT_OF_MEMORY = "out_of_memory", "Out of memory"
    CONFIGURATION = "configuration", "Wrong set-up"
    CLUSTER = "cluster", "Kubernetes refused"


SHARED = ("department", "everyone")
"""Visibilities that others in the department see."""


NEWEST_FIRST = ("-queued_at", "-id")
ROW_COLUMNS = (
    *(
        "uuid",
        "state",
        "trigger",
        "agent",
        "agent_version",
        "team",
        "team_version",
        "started_by",
        "queued_at",
        "started_at",
    ),
    *("finished_at", "pinned_at", "model_calls", "tokens_in", "tokens_out", "agent__name", "agent__icon", "team__name"),
    *("team__icon", "started_by__name"),
)
LONG_COLUMNS = ("spec", "input", "output", "structured")
"""What lists leave in the database."""


class RunQuerySet(models.QuerySet["Run"]):
    """The doors to runs."""

    def visible_to(self, user: Person) -> RunQuerySet:
        """Runs of agents and teams that the person sees, in their departments, and their own there.

        What was said in a conversation is seen by the person who said it, and by managers, also when the conversation is gone.
        """
        inside = Q(department__in=list(roles_of(user)))
        open_ = Q(agent__visibility__in=SHARED) | Q(team__visibility__in=SHARED)
        shared = open_ & ~Q(trigger__in=[Trigger.TEST, Trigger.CONVERSATION])
        owned = (Q(agent__owner=user.pk) | Q(team__owner=user.pk)) & ~Q(trigger=Trigger.CONVERSATION)
        managed = Q(department__in=departments_where(user, Role.MANAGER))
        return self.filter(inside & (shared | Q(started_by=user.pk) | owned | managed))

    def editable_by(self, user: Person) -> RunQuerySet:
        """Runs the person may stop or repeat: their own while they are members, and all of the departments they manage."""
        own = Q(started_by=user.pk, department__in=departments_where(user, Role.MEMBER))
        return self.filter(own | Q(department__in=departments_where(user, Role.MANAGER)))

    def live(self) -> RunQuerySet:
        """Those that have not ended."""
        return self.filter(state__in=LIVE_STATES)

    def under_way(self) -> RunQuerySet:
        """Those that count for limits: in a worker, in a pod, or on their way to one."""
        return self.filter(Q(state=State.RUNNING) | Q(state=State.QUEUED, submitted_at__isnull=False))

    def in_pods(self) -> RunQuerySet:
        """Of these the ones that have a pod, or should have."""
        return self.under_way().filter(executor=Executor.KUBERNETES)

    def newest_first(self) -> RunQuerySet:
        """By creation, newest first, with what a list shows.

        By time and not by id: from the key of the whole table PostgreSQL would pass the younger runs of all other departments.
        """
        found = self.select_related("agent", "team", "started_by").defer(*LONG_COLUMNS, "agent__draft", "team__draft")
        return found.order_by(*NEWEST_FIRST)

    def as_rows(self) -> RunQuerySet:
        """With no more than a row of a list shows."""
        return self.only(*ROW_COLUMNS).with_name_then()

    def with_name_then(self) -> RunQuerySet:
        """With `name_then`, how an agent or team that is out of sight was called in its run; None elsewhere."""
        # Only of these the snapshot is read, which can be long.
        unseen = When(agent__name=None, team__name=None, then=KeyTextTransform("name", "spec"))
        return self.annotate(name_then=Case(unseen))

    def older_than(self, moment: datetime, pk: int) -> RunQuerySet:
        """Those that come after this run in such a list."""
        return self.filter(queued_at__lte=moment).exclude(queued_at=moment, pk__gte=pk)

    def newer_than(self, moment: datetime, pk: int) -> RunQuerySet:
        """Those that come before this run in such a list."""
        return self.filter(queued_at__gte=moment).exclude(queued_at=moment, pk__lte=pk)


_Manager = models.Manager.from_queryset(RunQuerySet)


class RunManager(_Manager):
    """Leaves in the database what only the database reads."""

    def get_queryset(self) -> RunQuerySet:  # type: ignore[override] # the base knows only that it is some query set
        """All runs in the scope, without the column that searches look into."""
        return cast("RunQuerySet", super().get_queryset().defer("search"))


class Run(models.Model):
    """One execution: what was asked, of exactly which version, how it stands and what came out."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    department = models.ForeignKey(Department, models.PROTECT, related_name="runs")
    agent = models.ForeignKey(Agent, models.PROTECT, null=True, related_name="runs")
    agent_version = models.ForeignKey(
        AgentVersion, models.PROTECT, null=True, related_name="runs", help_text="Empty for a test of a draft"
    )
    team = models.ForeignKey(Team, models.PROTECT, null=True, related_name="runs")
    team_version = models.ForeignKey(
        TeamVersion, models.PROTECT, null=True, related_name="runs", help_text="Empty for a test of a draft"
    )
    conversation = models.ForeignKey("Conversation", models.SET_NULL, null=True, related_name="runs")
    replaced = models.BooleanField(default=False, help_text="In a conversation: an edited question took its place")
    spec = models.JSONField(help_text="Snapshot of all that decides the run: engine.spec.AgentSpec or TeamSpec")
    input = models.TextField(blank=True)
    variables = models.JSONField(default=dict)
    trigger = models.CharField(max_length=16, choices=Trigger.choices)
    started_by = models.ForeignKey(User, models.PROTECT, related_name="runs")
    retry_of = models.ForeignKey("self", models.SET_NULL, null=True, related_name="retries")

    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    reason = models.CharField(max_length=32, choices=Reason.choices, blank=True)
    reason_message = models.TextField(blank=True)
    output = models.TextField(blank=True)
    structured = models.JSONField(null=True)

    tokens_in = models.BigIntegerField(default=0)
    tokens_out = models.BigIntegerField(default=0)
    tokens_cached = models.BigIntegerField(default=0, help_text="Part of tokens_in")
    cost = models.DecimalField(
        max_digits=24, decimal_places=12, default=0, help_text="Of the calls whose cost is known; the ledger's sum"
    )
    unpriced_calls = models.PositiveIntegerField(default=0, help_text="Calls of models whose cost is not known")
    model_calls = models.PositiveIntegerField(default=0)
    tool_calls = models.PositiveIntegerField(default=0)
    tool_failures = models.PositiveIntegerField(default=0)
    first_token_ms = models.PositiveIntegerField(null=True)

    priority = models.SmallIntegerField(choices=Priority.choices, default=Priority.PEOPLE)
    not_before = models.DateTimeField(null=True, help_text="It is not started earlier")
    provider_key = models.BigIntegerField(
        default=0, help_text="Whose limits of requests hold it back: `ModelSpec.provider_key`; 0 for nobody's"
    )
    target_key = models.GeneratedField(
        expression=Coalesce("agent_id", F("team_id") * -1), output_field=models.BigIntegerField(), db_persist=True
    )
    due_at = models.GeneratedField(
        expression=Coalesce("not_before", "queued_at"), output_field=models.DateTimeField(), db_persist=True
    )
    search = models.GeneratedField(
        expression=models.Func("input", "variables", "output", function="runs_words"),
        output_field=SearchVectorField(),
        db_persist=True,
    )
    executor = models.CharField(
        max_length=16, choices=Executor.choices, default=Executor.CELERY, db_default=Executor.CELERY
    )
    submitted_at = models.DateTimeField(
        null=True, help_text="Since when a pod is to take it: it is queued, counts as under way, and no worker takes it"
    )
    queued_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(auto_now_add=True, help_text="When a message for the workers was last sent")
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    claimed_by = models.CharField(max_length=120, blank=True)
    fence = models.PositiveIntegerField(
        default=0, help_text="Counts the claims; a worker writes only with its own number"
    )
    restarts = models.PositiveSmallIntegerField(
        default=0, help_text="How often it lost its worker and was started again"
    )
    heartbeat_at = models.DateTimeField(null=True)
    deadline_at = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)
    cancel_message = models.CharField(max_length=300, blank=True)
    last_seq = models.PositiveBigIntegerField(default=0)

    pinned_at = models.DateTimeField(
        null=True, help_text="Pinned runs are kept, whatever the department's retention says"
    )
    pinned_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    events_pruned_at = models.DateTimeField(null=True, help_text="When the pieces of finished texts were removed")
    events_pruned = models.PositiveBigIntegerField(default=0, help_text="How many of them")
    files_pruned_at = models.DateTimeField(null=True, help_text="When the department's retention removed the files")

    objects = RunManager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(agent__isnull=False, team=None, team_version=None)
                | Q(agent=None, agent_version=None, team__isnull=False),
                name="run_has_one_target",
            ),
            models.UniqueConstraint(
                fields=["conversation"], condition=Q(state__in=LIVE_STATES), name="run_one_live_per_conversation"
            ),
            models.CheckConstraint(condition=Q(state__in=State.values), name="run_state_known"),
            models.CheckConstraint(
                condition=Q(state__in=TERMINAL_STATES, finished_at__isnull=False)
                | Q(state__in=LIVE_STATES, finished_at=None),
                name="run_finished_when_terminal",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["department", *NEWEST_FIRST], name="run_newest"),
            models.Index(fields=["agent", *NEWEST_FIRST], name="run_newest_of_agent"),
            models.Index(fields=["team", *NEWEST_FIRST], name="run_newest_of_team"),
            models.Index(fields=["conversation", "-id"], name="run_by_conversation"),
            models.Index(fields=["department", "state", *NEWEST_FIRST], name="run_newest_of_state"),
            models.Index(fields=["started_by", *NEWEST_FIRST], name="run_newest_of_person"),
            models.Index(
                fields=["department", "finished_at"], condition=Q(finished_at__isnull=False), name="run_by_end"
            ),
            models.Index(F("state"), F("heartbeat_at"), condition=Q(state__in=LIVE_STATES), name="run_live"),
            # The queue: `worker.claim` goes from one group of equal runs to the next.
            models.Index(
                fields=["priority", "department", "target_key", "started_by", "provider_key", "due_at", "id"],
                condition=Q(state=State.QUEUED, submitted_at=None),
                name="run_queue",
            ),
            models.Index(
                fields=["submitted_at"],
                condition=Q(state=State.QUEUED, submitted_at__isnull=False),
                name="run_submitted",
            ),
            GinIndex(fields=["search"], name="run_search"),
        ]

    def __str__(self) -> str:
        return f"Run {self.number}"

    @property
    def number(self) -> str:
        """The short name people see and say."""
        return f"#{self.pk}"

    @property
    def is_terminal(self) -> bool:
        """Whether the run has ended, for good."""
        return self.state in TERMINAL_STATES

    @property
    def is_test(self) -> bool:
        """Whether it tried a draft."""
        return self.trigger == Trigger.TEST

    @property
    def duration_ms(self) -> int | None:
        """From start to end, or until now; None before the start."""
        if self.started_at is None:
            return None
        return int(((self.finished_at or datetime.now(UTC)) - self.started_at).total_seconds() * 1000)

    @property
    def target(self) -> Agent | Team:
        """The agent or team that runs."""
        found = self.team if self.team_id is not None else self.agent
        assert found is not None  # a constraint
        return found

    @property
    def version(self) -> AgentVersion | TeamVersion | None:
        """The version that runs, None for a draft."""
        return self.team_version if self.team_id is not None else self.agent_version

    @property
    def target_name(self) -> str:
        """The agent's or team's name as it was when the run began."""
        return str(self.spec.get("name", ""))

    @property
    def sentence(self) -> str:
        """Why the run stands as it does; empty where the state says it all."""
        if self.state == State.RUNNING and self.cancel_requested_at is not None:
            return "The run is being stopped."
        return self.reason_message
