"""Conversations: a person talks with an agent or a team, a run a turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from agents.definition.reading import text_problem
from audit.services import record
from features.queries import check_on
from mindloom.web.errors import Conflict, Invalid, NotAllowed, NotFound
from runs import worker
from runs.models import Conversation, PersonMemory, Run, State, Trigger
from runs.services.control import stop_run
from runs.services.starting import Target, check_may_run, kind_of, start_run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from accounts.models import User

LONGEST_TITLE = 120
MOST_FILES = 5
LARGEST_FILE = 200_000
"""Bytes of one attached text file."""
_BEGIN, _END = "----- File: {name} -----", "----- End of {name} -----"


@dataclass(frozen=True)
class Attachment:
    """A file that came with a message: its name as given, and its content."""

    name: str
    content: bytes


def start_conversation(*, actor: User, target: Target, department_id: int | None = None) -> Conversation:
    """Begin to talk with a published agent or team; nothing is said yet.

    Raises `NotAllowed` for viewers, `Conflict` for what is archived or was never published.
    """
    check_on("conversations")
    department = check_may_run(actor, target, department_id)
    with transaction.atomic():
        conversation = Conversation.objects.create(department_id=department, owner=actor, **{kind_of(target): target})
        record(actor=actor, action="conversation.started", target=conversation, **_about(target))
    return conversation


def say(
    *,
    actor: User,
    conversation: Conversation,
    text: str,
    variables: dict[str, Any] | None = None,
    files: Sequence[Attachment] = (),
) -> Run:
    """Say something; the run is the answer. Attached text files become part of the message, under their names.

    Variables are those of the first message unless others are given. Raises what `start_run` raises, and `Conflict` while an
    answer is under way.
    """
    check_on("conversations")
    _check_owner(actor, conversation)
    target = conversation.target
    if target is None:
        raise Conflict("Whom you talk with here is no longer shared with you.", code="not_shared")
    message = _with_files(text, files)
    if variables is None:
        first = conversation.runs.order_by("pk").only("variables").first()
        variables = first.variables if first is not None else {}
    with transaction.atomic():
        run = start_run(
            actor=actor,
            target=target,
            text=message,
            variables=variables,
            trigger=Trigger.CONVERSATION,
            conversation=conversation,
            department_id=conversation.department_id,
        )
        title = conversation.title or _title(text, files)
        Conversation.objects.filter(pk=conversation.pk).update(title=title, updated_at=timezone.now())
    conversation.title = title
    return run


def edit_and_resend(*, actor: User, run: Run, text: str) -> Run:
    """Say something else instead: that turn and all later ones are set aside, and the conversation goes on from there."""
    conversation = _conversation_of(run)
    _check_owner(actor, conversation)
    with transaction.atomic():
        # The row is the lock: of two windows that resend at once the second finds the first one's run under way.
        Conversation.objects.select_for_update().get(pk=conversation.pk)
        if conversation.runs.live().exists():
            raise Conflict(
                "The answer to your last message is still being written. Wait for it, or stop it.",
                code="conversation_busy",
            )
        if Run.objects.filter(pk=run.pk, replaced=True).exists():
            raise Conflict("This message was set aside already; another took its place.", code="turn_replaced")
        conversation.runs.filter(pk__gte=run.pk, replaced=False).update(replaced=True)
        # What was summed up may hold what is said no more.
        Conversation.objects.filter(pk=conversation.pk, summary_run_id__gte=run.pk).update(summary="", summary_run_id=0)
        made = say(actor=actor, conversation=conversation, text=text, variables=run.variables)
        record(actor=actor, action="conversation.edited", target=conversation, run=str(run.uuid))
    return made


def retry_turn(*, actor: User, run: Run) -> Run:
    """Ask the last question again, because its run failed or was stopped. Raises `Conflict` for any other turn."""
    conversation = _conversation_of(run)
    last = conversation.runs.filter(replaced=False).order_by("-pk").first()
    if last is None or last.pk != run.pk or run.state not in {State.FAILED, State.CANCELLED}:
        raise Conflict(
            "Only the last question can be asked again, when its answer failed or was stopped.", code="not_last"
        )
    return edit_and_resend(actor=actor, run=run, text=run.input)


def rename_conversation(*, actor: User, conversation: Conversation, title: str) -> Conversation:
    """Give it another title. Raises `Invalid`."""
    _check_owner(actor, conversation)
    if not isinstance(title, str):
        raise Invalid(fields={"title": ["This must be text."]})
    title = " ".join(title.split())
    problem = text_problem(title, LONGEST_TITLE) or ("" if title else "Give the conversation a title.")
    if problem:
        raise Invalid(fields={"title": [problem]})
    with transaction.atomic():
        Conversation.objects.filter(pk=conversation.pk).update(title=title)
        record(actor=actor, action="conversation.renamed", target=conversation)
    conversation.title = title
    return conversation


def delete_conversation(*, actor: User, conversation: Conversation) -> None:
    """Remove it, with its summary. A run under way is stopped; its runs stay among the person's runs, on their own."""
    _check_owner(actor, conversation)
    with transaction.atomic():
        # While the row is locked nobody can add a run to it.
        Conversation.objects.select_for_update().get(pk=conversation.pk)
        for run in conversation.runs.live():
            try:
                stop_run(actor=actor, run=run)
            except Conflict:
                continue  # it ended by itself
        record(actor=actor, action="conversation.deleted", target=conversation)
        worker.forget_talk(conversation)
        conversation.delete()


def forget_person(*, actor: User, memory: PersonMemory) -> None:
    """Have an agent or team forget what it knows of oneself. What was said in runs and conversations stays there."""
    if not PersonMemory.objects.editable_by(actor).filter(pk=memory.pk).exists():
        raise NotFound("There is nothing like that to forget.")
    with transaction.atomic():
        record(actor=actor, action="memory.erased", target=memory.target or memory, department_id=memory.department_id)
        worker.forget_facts(memory)
        memory.delete()


def _check_owner(actor: User, conversation: Conversation) -> None:
    if not Conversation.objects.visible_to(actor).filter(pk=conversation.pk).exists():
        raise NotFound("There is no such conversation.")
    if not Conversation.objects.editable_by(actor).filter(pk=conversation.pk).exists():
        raise NotAllowed("Only the person who has this conversation can go on with it.")


def _conversation_of(run: Run) -> Conversation:
    if run.conversation is None:
        raise Conflict("This run is not part of a conversation.", code="no_conversation")
    return run.conversation


def _with_files(text: str, files: Sequence[Attachment]) -> str:
    """The message with its files, each between lines with its name. Raises `Invalid` about `files`."""
    if not files:
        return text
    problems = [problem for one in files if (problem := _file_problem(one))]
    if len(files) > MOST_FILES:
        problems.insert(0, f"There are {len(files)} files; {MOST_FILES} are the most for one message.")
    if problems:
        raise Invalid(fields={"files": problems})
    parts = [text.strip()] if isinstance(text, str) else [text]
    for one in files:
        name = _file_name(one)
        content = one.content.decode("utf-8-sig").replace("\r\n", "\n").strip("\n")
        parts.append(f"{_BEGIN.format(name=name)}\n{content}\n{_END.format(name=name)}")
    message = "\n\n".join(part for part in parts if part)
    if len(message) > settings.RUN_INPUT_MAX_CHARS:
        raise Invalid(
            fields={
                "files": [
                    f"With the files the message has {len(message):,} characters; {settings.RUN_INPUT_MAX_CHARS:,} are allowed."
                ]
            }
        )
    return message


def _file_problem(file: Attachment) -> str:
    name = _file_name(file)
    if len(file.content) > LARGEST_FILE:
        return f"{name} has {len(file.content):,} bytes; a file may have {LARGEST_FILE:,}."
    if not file.content.strip():
        return f"{name} is empty."
    if b"\x00" in file.content:
        return f"{name} is not a text file. Attach text, such as .txt, .md or .csv."
    try:
        file.content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return f"{name} is not text in UTF-8. Save it as UTF-8, or paste its text."
    return ""


def _file_name(file: Attachment) -> str:
    """Fit to be shown on one line."""
    name = "".join(letter for letter in file.name.rsplit("/", 1)[-1].rsplit("\\", 1)[-1] if letter.isprintable())
    return name[:100].strip() or "file"


def _title(text: str, files: Sequence[Attachment]) -> str:
    line = " ".join(text.split()) or (f"About {_file_name(files[0])}" if files else "")
    return line if len(line) <= LONGEST_TITLE // 2 else line[: LONGEST_TITLE // 2].rsplit(" ", 1)[0] + " …"


def _about(target: Target) -> dict[str, Any]:
    return {kind_of(target): str(target.uuid)}
