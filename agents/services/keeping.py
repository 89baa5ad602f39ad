"""What agents and teams have in common: a draft that is worked on, versions that never change, and a life from making to
deleting. A `Keeper` knows one kind; `agents.services` and `teams.services` say what is particular to theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django.db import IntegrityError, transaction
from django.db.models import Max, Model, ProtectedError
from django.utils import timezone

from accounts.models import Role
from accounts.queries import may
from agents.definition import digest
from agents.definition.reading import Findings
from audit.services import difference, record
from mindloom.web.errors import Conflict, Invalid, NotAllowed, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from accounts.models import User

Row = TypeVar("Row", bound=Model)
Version = TypeVar("Version", bound=Model)


@dataclass(frozen=True, kw_only=True)
class Keeper(Generic[Row, Version]):
    """The verbs that one kind of row has in common with the other."""

    word: str
    """What one is called: the audit trail's subject, the version's field, and the word in sentences."""
    model: Any
    version: Any
    identity: Mapping[str, int]
    """The fields beside the definition, and how long they may be."""
    icons: Sequence[str]
    normal: Callable[[Any], dict[str, Any]]
    """A draft under way in its normal form; raises `Invalid`."""
    ready: Callable[[User, Any], dict[str, Any]]
    """A row's draft as it can be published; raises `Invalid` with the fields that are not ready."""

    def create(
        self, *, actor: User, department_id: int, definition: Any, identity: Mapping[str, Any], done: str, **noted: Any
    ) -> Row:
        """Make one with a draft, owned by the actor. `done` is the past participle for the audit trail: "created"."""
        if not may(actor, Role.MEMBER, department_id):
            raise NotAllowed(f"You may not make {self.word}s in this department. Ask one of its managers.")
        draft = self.normal(definition)
        row = self.model(department_id=department_id, owner=actor, draft=draft, draft_digest=digest(draft))
        for field, value in self.clean(identity).items():
            setattr(row, field, value)
        with transaction.atomic():
            self.save(row)
            record(actor=actor, action=f"{self.word}.{done}", target=row, **noted)
        return row  # type: ignore[no-any-return]

    def update_draft(
        self, *, actor: User, row: Row, definition: Any, draft_digest: str | None, identity: Mapping[str, Any]
    ) -> Row:
        """Keep what is given of draft and identity.

        `draft_digest` is what the writer saw last: when the draft has changed since, `Conflict` is raised and nothing is kept.
        """
        self.check_may_edit(actor, row)
        clean = self.clean(identity)
        with transaction.atomic():
            locked = self.locked(row)
            self.refuse_archived(locked)
            changed = [field for field, value in clean.items() if getattr(locked, field) != value]
            noted = difference({field: getattr(locked, field) for field in clean}, clean)
            for field in changed:
                setattr(locked, field, clean[field])
            if definition is not None:
                draft = self.normal(definition)
                new = digest(draft)
                if draft_digest not in {None, locked.draft_digest} and new != locked.draft_digest:
                    raise Conflict(
                        "Somebody else, or you in another window, has changed this draft. Copy what you wrote, then reload.",
                        code="draft_changed",
                    )
                if new != locked.draft_digest:
                    parts = [name for name in draft if draft[name] != locked.draft.get(name)]
                    noted["draft"] = sorted(parts)  # what is run is in the versions
                    locked.draft, locked.draft_digest = draft, new
                    changed.append("draft")
            if changed:
                self.save(locked)
                record(actor=actor, action=f"{self.word}.edited", target=locked, **noted)
        return locked  # type: ignore[no-any-return]

    def publish(self, *, actor: User, row: Row, note: str = "") -> Version:
        """Make the draft the version that people run. Raises `Conflict` when nothing changed since the last one."""
        self.check_may_edit(actor, row)
        findings = Findings()
        note = findings.text("note", note, 300)
        if findings.fields:
            raise Invalid(fields=findings.fields)
        with transaction.atomic():
            # The lock makes two people who publish at once wait for each other; the second finds nothing changed.
            locked = self.locked(row)
            self.refuse_archived(locked)
            definition = self.ready(actor, locked)
            new = digest(definition)
            if locked.published is not None and locked.published.digest == new:
                raise Conflict(
                    f"Nothing has changed since {locked.published}, so there is nothing to publish.",
                    code="nothing_changed",
                )
            last = locked.versions.aggregate(last=Max("number"))["last"] or 0
            version = self.version.objects.create(
                **{self.word: locked},
                department_id=locked.department_id,
                number=last + 1,
                definition=definition,
                digest=new,
                note=note,
                published_by=actor,
            )
            locked.published = version
            self._set_draft(locked, definition, new, "published")
            record(actor=actor, action=f"{self.word}.published", target=locked, version=version.number, note=note)
        row.refresh_from_db()
        return version  # type: ignore[no-any-return]

    def discard_draft(self, *, actor: User, row: Row) -> Row:
        """Go back to what is published. Raises `Conflict` when nothing is."""
        self.check_may_edit(actor, row)
        with transaction.atomic():
            locked = self.locked(row)
            if locked.published is None:
                raise Conflict(
                    "Nothing is published yet, so there is nothing to go back to.", code=f"{self.word}_not_published"
                )
            self._set_draft(locked, locked.published.definition, locked.published.digest)
            record(actor=actor, action=f"{self.word}.draft_discarded", target=locked, version=locked.published.number)
        return locked  # type: ignore[no-any-return]

    def restore_version(self, *, actor: User, row: Row, number: int) -> Row:
        """Make an earlier version the draft; people go on with what is published until that draft is published."""
        self.check_may_edit(actor, row)
        with transaction.atomic():
            locked = self.locked(row)
            self.refuse_archived(locked)
            version = locked.versions.filter(number=number).first() if 0 < number < 2**31 else None
            if version is None:
                raise NotFound(f"“{locked.name}” has no version {number}.")
            if version.digest != locked.draft_digest:
                self._set_draft(locked, version.definition, version.digest)
                record(actor=actor, action=f"{self.word}.version_restored", target=locked, version=number)
        return locked  # type: ignore[no-any-return]

    def duplicate(self, *, actor: User, row: Row, department_id: int, name: str | None = None) -> Row:
        """Make a copy of the draft under another name, owned by the actor."""
        kept: Any = row
        if not self.model.objects.visible_to(actor).filter(pk=row.pk).exists():
            raise NotFound
        if not may(actor, Role.MEMBER, department_id):
            raise NotAllowed(f"You may look at this {self.word} but not copy it. Ask a manager of your department.")
        identity = {field: getattr(row, field) for field in self.identity}
        identity["name"] = name or self._copy_name(department_id, kept.name)
        if identity["visibility"] == "everyone":  # whether the copy is shared is decided anew
            identity["visibility"] = "department"
        # What another department shares is its published version; its draft is its own.
        inside = may(actor, Role.VIEWER, kept.department_id)
        draft = kept.draft if inside else kept.published.definition
        new = kept.draft_digest if inside else kept.published.digest
        copy = self.model(department_id=department_id, owner=actor, draft=draft, draft_digest=new)
        for field, value in self.clean(identity).items():
            setattr(copy, field, value)
        with transaction.atomic():
            self.save(copy)
            record(actor=actor, action=f"{self.word}.duplicated", target=copy, of=str(kept.uuid))
        return copy  # type: ignore[no-any-return]

    def transfer(self, *, actor: User, row: Row, to: User) -> Row:
        """Make somebody else the owner. Raises `Invalid` when they could not work on it."""
        self.check_may_edit(actor, row)
        with transaction.atomic():
            locked = self.locked(row)
            if not may(to, Role.MEMBER, locked.department_id):
                sentence = f"{to.name or to} is no member of this department, so they cannot look after it."
                raise Invalid(sentence, fields={"owner": [sentence]})
            if locked.owner_id != to.pk:
                locked.owner = to
                locked.save(update_fields=["owner", "updated_at"])
                record(actor=actor, action=f"{self.word}.transferred", target=locked, to=to.email)
        return locked  # type: ignore[no-any-return]

    def archive(self, *, actor: User, row: Row) -> Row:
        """Take it out of use; its runs and versions stay. Archiving twice changes nothing."""
        self.check_may_edit(actor, row)
        with transaction.atomic():
            locked = self.locked(row)
            if locked.archived_at is None:
                locked.archived_at = timezone.now()
                locked.save(update_fields=["archived_at", "updated_at"])
                record(actor=actor, action=f"{self.word}.archived", target=locked)
        return locked  # type: ignore[no-any-return]

    def restore(self, *, actor: User, row: Row) -> Row:
        """Bring an archived one back. Raises `Conflict` when its name is in use again."""
        self.check_may_edit(actor, row)
        with transaction.atomic():
            locked = self.locked(row)
            if locked.archived_at is not None:
                locked.archived_at = None
                try:
                    self.save(locked)
                except Invalid:
                    raise Conflict(
                        f"Another {self.word} is called “{locked.name}” by now. Rename that one, then restore this one.",
                        code="name_taken",
                    ) from None
                record(actor=actor, action=f"{self.word}.restored", target=locked)
        return locked  # type: ignore[no-any-return]

    def delete(self, *, actor: User, row: Row) -> None:
        """Remove one that has never been run, with its versions. Raises `Conflict` for others."""
        self.check_may_edit(actor, row)
        name = str(row)
        try:
            with transaction.atomic():
                locked = self.locked(row)
                record(actor=actor, action=f"{self.word}.deleted", target=locked)
                locked.delete()
        except (ProtectedError, IntegrityError) as error:  # the second: it was run for the first time in this moment
            held = {str(one._meta.verbose_name) for one in getattr(error, "protected_objects", ())} - {"run"}  # noqa: SLF001 -- Django's own name for it
            if "schedule" in held:
                raise Conflict(
                    f"A schedule runs “{name}”. Delete the schedule first, or archive the {self.word}: then its times say why they do nothing.",
                    code=f"{self.word}_has_schedules",
                ) from None
            raise Conflict(
                f"“{name}” has been run; archive it instead, so that its runs keep their {self.word}.",
                code=f"{self.word}_has_runs",
            ) from None

    def check_may_edit(self, actor: User, row: Row) -> None:
        """Raise `NotAllowed` unless the actor may change the row."""
        if not self.model.objects.editable_by(actor).filter(pk=row.pk).exists():
            raise NotAllowed(
                f"Only the {self.word}’s owner and the department’s managers may change it. You can make a copy."
            )

    def locked(self, row: Row) -> Any:
        """The row as it stands now, locked."""
        # Without joins: after a wait PostgreSQL reads the locked row anew, but joined rows as they were before.
        found = self.model.objects.select_for_update().filter(pk=row.pk).first()
        if found is None:
            raise NotFound(f"This {self.word} has been deleted.")
        return found

    def refuse_archived(self, row: Any) -> None:
        """Raise `Conflict` for an archived row."""
        if row.archived_at is not None:
            raise Conflict(f"“{row.name}” is archived. Restore it to change it.", code=f"{self.word}_archived")

    def clean(self, given: Mapping[str, Any]) -> dict[str, str]:
        """The clean values of the identity's fields that are given. Raises `Invalid`."""
        findings = Findings()
        clean = {}
        for field in findings.mapping("", given, self.identity):
            if given[field] is None:
                continue
            text = findings.text(field, given[field], self.identity[field])
            clean[field] = " ".join(text.split()) if field != "description" else text
        if "name" in clean and not clean["name"] and "name" not in findings.fields:
            findings.add("name", f"Give the {self.word} a name.")
        if clean.get("icon", self.icons[0]) not in self.icons and "icon" not in findings.fields:
            findings.add("icon", f"Choose one of: {', '.join(self.icons)}.")
        known = self.model.Visibility.values
        if clean.get("visibility", known[0]) not in known:
            findings.add("visibility", f"Choose one of: {', '.join(known)}.")
        if findings.fields:
            raise Invalid("Some fields are not right. Correct the marked ones.", fields=findings.fields)
        return clean

    def save(self, row: Any) -> None:
        """Save, and say in a sentence when the name is taken."""
        try:
            with transaction.atomic():
                row.save()
        except IntegrityError:
            article = "an" if self.word[0] in "aeiou" else "a"
            sentence = (
                f"There is already {article} {self.word} called “{row.name}” in this department. Choose another name."
            )
            raise Invalid(sentence, fields={"name": [sentence]}) from None

    def _set_draft(self, row: Any, definition: dict[str, Any], new: str, *more: str) -> None:
        row.draft, row.draft_digest = definition, new
        row.save(update_fields=["draft", "draft_digest", "updated_at", *more])

    def free_name(self, department_id: int, name: str) -> str:
        """The name, or that of a copy when it is in use."""
        return self._copy_name(department_id, name) if name in self._names(department_id) else name

    def _names(self, department_id: int) -> set[str]:
        rows = self.model.objects.filter(department_id=department_id, archived_at=None)
        return set(rows.values_list("name", flat=True))

    def _copy_name(self, department_id: int, name: str) -> str:
        """The first name that is free of "Digest (copy)", "Digest (copy 2)" and so on."""
        taken = self._names(department_id)
        stem = name.partition(" (copy")[0][:68]
        names = (f"{stem} (copy)", *(f"{stem} (copy {number})" for number in range(2, 1000)))
        return next((one for one in names if one not in taken), stem)
