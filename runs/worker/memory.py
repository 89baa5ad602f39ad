"""What agents remember from one run to the next, for the storage that their author chose.

`postgresql`: the conversation's own runs are the history; summaries and facts about people are kept for good.
`redis`: the last exchanges of this person with this agent or team, or of the conversation, and what was learned of the person,
for some hours. The key names department, agent or team, and person or conversation, so none of them reads another's.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import redis
from django.conf import settings

from mindloom.engine.ports import Exchange, Memories
from runs.models import Conversation, PersonMemory, Run, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mindloom.engine.spec import MemorySpec

logger = logging.getLogger(__name__)

MOST_UNSUMMARISED = 50
LONGEST_EXCHANGE = 20_000
"""Characters of a question or an answer that are told again."""
MOST_SHORT_TERM = 50
AWAY = "The short-term memory could not be reached, so nothing is remembered this time."


def recall(run: Run, memory: MemorySpec) -> Memories:
    """What is remembered when the run starts."""
    if memory.storage == "postgresql":
        return _from_rows(run, memory)
    if memory.storage == "redis":
        try:
            return _ShortTerm(run).recall(memory)
        except redis.RedisError as error:
            logger.warning("Run %s goes on without its short-term memory: %s", run.pk, error)
            return Memories(note=AWAY)
    return Memories()


def remember(run: Run, memory: MemorySpec, *, summary: str | None, facts: Sequence[str] | None) -> None:
    """Keep what a run learned; what is None stays as it is. Raises `redis.RedisError`."""
    if memory.storage == "redis":
        _ShortTerm(run).remember(summary=summary, facts=facts)
        return
    if facts is not None:
        PersonMemory.objects.update_or_create(**_whose(run), defaults={"facts": list(facts)})
    if summary is not None and run.conversation_id is not None:
        older = _earlier(run)[memory.history_runs :]
        if older:
            Conversation.objects.filter(pk=run.conversation_id, summary_run_id__lt=older[0].pk).update(
                summary=summary, summary_run_id=older[0].pk
            )


def exchanged(run: Run, memory: MemorySpec, answer: str) -> None:
    """The run has ended well: what was said becomes part of the short-term memory. Runs in rows need no copy."""
    if memory.storage != "redis":
        return
    try:
        _ShortTerm(run).add(run, Exchange(asked=run.input[:LONGEST_EXCHANGE], answered=answer[:LONGEST_EXCHANGE]))
    except redis.RedisError as error:
        logger.warning("Run %s could not be kept in the short-term memory: %s", run.pk, error)


def _earlier(run: Run, after: int = 0) -> list[Run]:
    """The conversation's completed runs before this one, the latest first."""
    if run.conversation_id is None:
        return []
    earlier = Run.objects.filter(
        conversation_id=run.conversation_id, state=State.COMPLETED, pk__lt=run.pk, pk__gt=after, replaced=False
    )
    return list(earlier.only("id", "input", "output").order_by("-pk")[: MOST_UNSUMMARISED + 50])


def _from_rows(run: Run, memory: MemorySpec) -> Memories:
    facts: list[str] = []
    if memory.person:
        kept = PersonMemory.objects.filter(**_whose(run)).first()
        facts = kept.facts if kept is not None else []
    earlier = _earlier(run)
    told, older = earlier[: memory.history_runs], earlier[memory.history_runs :]
    summary, upto = "", 0
    if memory.summary and run.conversation_id is not None:
        conversation = Conversation.objects.get(pk=run.conversation_id)
        summary, upto = conversation.summary, conversation.summary_run_id
    unsummarised = [one for one in older if one.pk > upto][:MOST_UNSUMMARISED] if memory.summary else []
    return Memories(
        exchanges=tuple(_exchange(one) for one in reversed(told)),
        summary=summary,
        unsummarised=tuple(_exchange(one) for one in reversed(unsummarised)),
        facts=tuple(facts),
    )


def _whose(run: Run) -> dict[str, Any]:
    return {
        "department_id": run.department_id,
        "person_id": run.started_by_id,
        "agent_id": run.agent_id,
        "team_id": run.team_id,
    }


def _exchange(run: Run) -> Exchange:
    return Exchange(asked=run.input[:LONGEST_EXCHANGE], answered=run.output[:LONGEST_EXCHANGE])


def forget_talk(conversation: Conversation) -> None:
    """What the short-term memory holds of a conversation is gone. When Redis is away it ends by itself, some hours later."""
    base = _base(conversation.department_id, conversation.agent_id, conversation.team_id)
    _delete(f"{base}:conversation:{conversation.pk}:said", f"{base}:conversation:{conversation.pk}:summary")


def forget_facts(memory: PersonMemory) -> None:
    """The same of what was learned of a person."""
    _delete(f"{_base(memory.department_id, memory.agent_id, memory.team_id)}:person:{memory.person_id}:facts")


def _delete(*keys: str) -> None:
    try:
        _client().delete(*keys)
    except redis.RedisError as error:
        logger.warning("The short-term memory is away; what was to be forgotten ends by itself: %s", error)


def _base(department_id: int, agent_id: int | None, team_id: int | None) -> str:
    target = f"team:{team_id}" if team_id is not None else f"agent:{agent_id}"
    return f"{settings.REDIS_PREFIX}:memory:{department_id}:{target}"


def _client() -> Any:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5, socket_connect_timeout=5)


class _ShortTerm:
    """One list and two values in Redis, which end together some hours after they were last used."""

    def __init__(self, run: Run) -> None:
        who = f"conversation:{run.conversation_id}" if run.conversation_id else f"person:{run.started_by_id}"
        base = _base(run.department_id, run.agent_id, run.team_id)
        self._said = f"{base}:{who}:said"
        self._summary = f"{base}:{who}:summary"
        self._facts = f"{base}:person:{run.started_by_id}:facts"
        self._seconds = settings.SHORT_TERM_MEMORY_HOURS * 3600
        self._client = _client()

    def recall(self, memory: MemorySpec) -> Memories:
        said, summary, facts = (
            self._client.pipeline().lrange(self._said, 0, -1).get(self._summary).get(self._facts).execute()
        )
        entries = [json.loads(one) for one in said]
        # What was taken back is not told again.
        replaced = set(
            Run.objects.filter(pk__in=[one["run"] for one in entries], replaced=True).values_list("pk", flat=True)
        )
        exchanges = [
            Exchange(asked=one["asked"], answered=one["answered"]) for one in entries if one["run"] not in replaced
        ]
        kept = exchanges[max(0, len(exchanges) - memory.history_runs) :]
        older = exchanges[: len(exchanges) - len(kept)]
        return Memories(
            exchanges=tuple(kept),
            summary=summary.decode() if summary and memory.summary and not replaced else "",
            unsummarised=tuple(older) if memory.summary else (),
            facts=tuple(json.loads(facts)) if facts and memory.person else (),
        )

    def add(self, run: Run, exchange: Exchange) -> None:
        said = json.dumps({"run": run.pk, "asked": exchange.asked, "answered": exchange.answered})
        pipeline = self._client.pipeline().rpush(self._said, said).ltrim(self._said, -MOST_SHORT_TERM, -1)
        pipeline.expire(self._said, self._seconds).expire(self._summary, self._seconds).execute()

    def remember(self, *, summary: str | None, facts: Sequence[str] | None) -> None:
        if summary is not None:
            self._client.set(self._summary, summary, ex=self._seconds)
        if facts is not None:
            self._client.set(self._facts, json.dumps(list(facts)), ex=self._seconds)
