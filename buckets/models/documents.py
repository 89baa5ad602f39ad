"""Content buckets and their documents.

A `Document` is a file by its name in one bucket. Each file that was given under this name is a `Version`; its bytes are a
`Content`, kept once for a department however often they are given, and its text is kept in `Page`s of the content. The version
that can be searched has `Chunk`s. A new version takes the old one's place only when it is complete.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar
from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.models import Department, Role, User
from accounts.queries import departments_where, roles_of
from integrations.models import Model

if TYPE_CHECKING:
    from datetime import date

    from accounts.queries import Person


class Language(models.TextChoices):
    """How words are brought to their stems: the text search configurations that every PostgreSQL has."""

    SIMPLE = "simple", "Any (words as they are)"
    ARABIC = "arabic", "Arabic"
    DANISH = "danish", "Danish"
    DUTCH = "dutch", "Dutch"
    ENGLISH = "english", "English"
    FINNISH = "finnish", "Finnish"
    FRENCH = "french", "French"
    GERMAN = "german", "German"
    GREEK = "greek", "Greek"
    HUNGARIAN = "hungarian", "Hungarian"
    ITALIAN = "italian", "Italian"
    NORWEGIAN = "norwegian", "Norwegian"
    PORTUGUESE = "portuguese", "Portuguese"
    ROMANIAN = "romanian", "Romanian"
    RUSSIAN = "russian", "Russian"
    SPANISH = "spanish", "Spanish"
    SWEDISH = "swedish", "Swedish"
    TURKISH = "turkish", "Turkish"


class PassageLength(models.TextChoices):
    """How long a passage is. `characters` says it in numbers."""

    SHORT = "short", "Short"
    MEDIUM = "medium", "Medium"
    LONG = "long", "Long"

    @property
    def characters(self) -> int:
        """The most characters of a passage."""
        return {"short": 600, "medium": 1_200, "long": 2_400}[self.value]


class BucketQuerySet(models.QuerySet["Bucket"]):
    """The doors to buckets."""

    def visible_to(self, user: Person) -> BucketQuerySet:
        """Buckets of the person's departments and those shared with everyone; private ones only to owner and managers."""
        departments = list(roles_of(user))
        shared = Q(department__in=departments, visibility__in=Bucket.SHARED)
        mine = Q(owner=user.pk, department__in=departments)
        own = shared | mine | Q(department__in=departments_where(user, Role.MANAGER))
        return self.filter(own | Bucket.FOR_EVERYONE if departments else own)

    def editable_by(self, user: Person) -> BucketQuerySet:
        """Their own, where they are still members, and all of the departments they manage."""
        own = Q(owner=user.pk, department__in=departments_where(user, Role.MEMBER))
        return self.filter(own | Q(department__in=departments_where(user, Role.MANAGER)))

    def active(self) -> BucketQuerySet:
        """Those not archived."""
        return self.filter(archived_at=None)


class Bucket(models.Model):
    """Documents of a department that belong together, such as the price lists."""

    class Visibility(models.TextChoices):
        """Who may read what is in it."""

        PRIVATE = "private", "Only me and managers"
        DEPARTMENT = "department", "Everyone in the department"
        EVERYONE = "everyone", "Everyone in every department"

    SHARED: ClassVar = (Visibility.DEPARTMENT, Visibility.EVERYONE)
    FOR_EVERYONE: ClassVar = Q(visibility=Visibility.EVERYONE, archived_at=None)
    """What every scope sees of buckets; the database's policy says the same."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    department = models.ForeignKey(Department, models.PROTECT, related_name="buckets")
    owner = models.ForeignKey(User, models.PROTECT, related_name="buckets")
    name = models.CharField(max_length=80)
    description = models.CharField(max_length=300, blank=True)
    visibility = models.CharField(max_length=16, choices=Visibility.choices, default=Visibility.DEPARTMENT)
    language = models.CharField(max_length=16, choices=Language.choices, default=Language.ENGLISH)
    passage_length = models.CharField(max_length=8, choices=PassageLength.choices, default=PassageLength.MEDIUM)
    embedding_model = models.ForeignKey(
        Model, models.SET_NULL, null=True, blank=True, related_name="+", help_text="Finds passages by meaning, too"
    )
    generation = models.ForeignKey(
        "Generation", models.SET_NULL, null=True, related_name="+", help_text="What is searched"
    )
    archived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = BucketQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                "department",
                Lower("name"),
                condition=Q(archived_at=None),
                name="bucket_name_once_per_department",
                violation_error_message="There is already a bucket of this name in the department. Choose another name.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Content(models.Model):
    """The bytes of files, once for each department. The row is there before its file, so that no file is without one."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    department = models.ForeignKey(Department, models.PROTECT, related_name="+")
    sha256 = models.CharField(max_length=64)
    size_bytes = models.PositiveBigIntegerField()
    path = models.CharField(max_length=200)
    stored_at = models.DateTimeField(null=True)
    kind = models.CharField(max_length=16, blank=True, help_text="What the content was found to be")
    page_count = models.PositiveIntegerField(default=0)
    character_count = models.PositiveBigIntegerField(default=0)
    extracted_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["department", "sha256"], name="content_once_per_department")
        ]

    def __str__(self) -> str:
        return self.sha256[:12]


class Page(models.Model):
    """A part of a content's text as the file has it: a page, a slide, a section under its heading, some rows of a table."""

    content = models.ForeignKey(Content, models.CASCADE, related_name="pages", db_index=False)
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", db_index=False)
    number = models.PositiveIntegerField(help_text="Counts from 1")
    label = models.CharField(max_length=120, blank=True, help_text="Such as “page 3” or “rows 21–40”")
    heading = models.CharField(max_length=300, blank=True)
    text = models.TextField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["content", "number"], name="page_numbered_once")]

    def __str__(self) -> str:
        return self.label or f"part {self.number}"


def today() -> date:
    """The day that it is here."""
    return timezone.localdate()


class DocumentQuerySet(models.QuerySet["Document"]):
    """The doors to documents: those of their buckets."""

    def visible_to(self, user: Person) -> DocumentQuerySet:
        """Documents of buckets that the person sees."""
        return self.filter(bucket__in=Bucket.objects.visible_to(user))

    def editable_by(self, user: Person) -> DocumentQuerySet:
        """Documents of buckets that the person may change."""
        return self.filter(bucket__in=Bucket.objects.editable_by(user))


class Document(models.Model):
    """A file of a bucket, by its name. `newest` is what was given last, `live` what is searched.

    `dated_on` is the day that the file is of: when its newest content was given, unless somebody said another one.
    """

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    bucket = models.ForeignKey(Bucket, models.CASCADE, related_name="documents", db_index=False)
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", db_index=False)
    name = models.CharField(max_length=200)
    tags = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    dated_on = models.DateField(default=today)
    source = models.ForeignKey("WebSource", models.SET_NULL, null=True, blank=True, related_name="documents")
    url = models.CharField(max_length=2000, blank=True, help_text="Where on the web it is from")
    newest = models.ForeignKey("Version", models.SET_NULL, null=True, related_name="+")
    live = models.ForeignKey("Version", models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = DocumentQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bucket", "name"], name="document_name_once_per_bucket")
        ]

    def __str__(self) -> str:
        return self.name


class WebSource(models.Model):
    """An address of the web that somebody gave: a page, or a feed with a document for each entry.

    A worker fetches it while it is wanted: it holds it until `lease_until`, and `fence` counts who, as for versions.
    """

    class Kind(models.TextChoices):
        """What was found there."""

        PAGE = "page", "Page"
        FEED = "feed", "Feed"

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    bucket = models.ForeignKey(Bucket, models.CASCADE, related_name="sources", db_index=False)
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", db_index=False)
    url = models.CharField(max_length=2000)
    tags = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    kind = models.CharField(max_length=8, choices=Kind.choices, blank=True)
    is_wanted = models.BooleanField(default=True)
    reason = models.CharField(max_length=600, blank=True, help_text="Why it could not be fetched, and what to do")
    note = models.CharField(max_length=300, blank=True, help_text="What came of it the last time")
    attempts = models.PositiveSmallIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    fetched_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["bucket", "url"], name="source_once_per_bucket")]
        indexes: ClassVar = [models.Index(fields=["id"], condition=Q(is_wanted=True), name="source_wanted")]

    def __str__(self) -> str:
        return self.url


class State(models.TextChoices):
    """How far a version is. The first four are worked on; see `worker`."""

    RECEIVED = "received", "Waiting"
    EXTRACTED = "extracted", "Text read"
    CHUNKED = "chunked", "Cut into passages"
    EMBEDDED = "embedded", "Meaning known"
    SEARCHABLE = "searchable", "Searchable"
    FAILED = "failed", "Failed"
    REPLACED = "replaced", "Replaced"


UNDER_WAY = (State.RECEIVED, State.EXTRACTED, State.CHUNKED, State.EMBEDDED)


class Version(models.Model):
    """A content given under a document's name, and how its passages are made.

    `number` counts contents: in every generation of the bucket the same content has a row of its own with the same number. Whoever
    works on a row holds it until `lease_until`; `fence` counts who, so that a worker given up for dead changes nothing more. Until
    `waits_until` nobody takes it: the embedding model could not be asked, for `reason`.
    """

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    document = models.ForeignKey(Document, models.CASCADE, related_name="versions")
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", db_index=False)
    content = models.ForeignKey(Content, models.PROTECT, related_name="versions")
    generation = models.ForeignKey("Generation", models.SET_NULL, null=True, related_name="versions")
    number = models.PositiveIntegerField(help_text="Counts from 1")
    language = models.CharField(max_length=16, choices=Language.choices)
    passage_length = models.CharField(max_length=8, choices=PassageLength.choices)
    state = models.CharField(max_length=16, choices=State.choices, default=State.RECEIVED)
    reason = models.CharField(max_length=600, blank=True, help_text="Why it failed, and what to do")
    attempts = models.PositiveSmallIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    waits_until = models.DateTimeField(null=True)
    is_found = models.BooleanField(default=False, help_text="Whether its passages are found in its generation")
    chunk_count = models.PositiveIntegerField(default=0)
    added_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["id"], condition=Q(state__in=UNDER_WAY), name="version_under_way"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["document", "generation"], condition=Q(is_found=True), name="version_one_found"
            ),
        ]

    def __str__(self) -> str:
        return f"version {self.number}"

    @property
    def is_under_way(self) -> bool:
        """Whether it is still worked on."""
        return self.state in UNDER_WAY
