"""What a run leaves for the next: a summary of the conversation, and facts about the person.

Asked of the agent's own model once the answer is there. A run never fails because of it.
"""

from __future__ import annotations

import json
import logging
import re
from functools import partial
from typing import TYPE_CHECKING

from mindloom.engine.agno_adapter.calls import Unusable
from mindloom.engine.agno_adapter.loop import LOOP
from mindloom.engine.errors import EngineError
from mindloom.engine.plain import value_of

if TYPE_CHECKING:
    from mindloom.engine.agno_adapter.session import Session

log = logging.getLogger(__name__)

MOST_FACTS = 40
LONGEST_FACT = 300
_LONGEST_TOLD = 8_000
_LIST = re.compile(r"\[.*\]", re.DOTALL)
SUMMARY = (
    "Bring the summary of a conversation up to date. Keep every fact, name, number, decision and open question that may matter "
    "later. Answer with the new summary only: plain sentences, at most 250 words."
)
FACTS = (
    "Keep a list of lasting facts about the person that help to work for them later: their role, preferences, names, standing "
    "wishes. Take what they said of themselves only, no secrets, nothing that is about this one question. Answer with a JSON list "
    f"of at most {MOST_FACTS} short sentences: the known facts that still hold, corrected where they changed, and the new ones."
)


async def remember(session: Session, answer: str) -> None:
    """Ask for what is to be kept, and keep it."""
    plan = session.plan
    memory = plan.spec.memory
    if memory.storage == "none" or plan.leader.models[0].spec.kind == "offline":
        return
    try:
        summary = await _summary(session) if memory.summary and plan.memories.unsummarised else None
        facts = await _facts(session, answer) if memory.person else None
        if summary is not None or facts is not None:
            await LOOP.in_thread(partial(plan.ports.remember, memory, summary=summary, facts=facts))
    except (Unusable, EngineError) as error:
        _not_kept(session, str(error))
    except Exception:
        log.exception("run %s: what it learned could not be kept", plan.run_id)
        _not_kept(session, "Mindloom itself failed. The administrators' log has the details.")


def _not_kept(session: Session, why: str) -> None:
    if session.verdict is None:
        session.leader.log("warn", f"What was to be remembered of this run could not be kept: {why}")


async def _summary(session: Session) -> str | None:
    memories = session.plan.memories
    told = "\n\n".join(
        f"Person: {one.asked[:_LONGEST_TOLD]}\nAnswer: {one.answered[:_LONGEST_TOLD]}" for one in memories.unsummarised
    )
    text = f"Summary so far:\n{memories.summary or '(none)'}\n\nWhat was said since:\n{told}"
    return await session.leader.calls.ask("summary", SUMMARY, text) or None


async def _facts(session: Session, answer: str) -> list[str] | None:
    known = json.dumps(list(session.plan.memories.facts), ensure_ascii=False)
    text = (
        f"Known facts:\n{known}\n\nThe person said:\n{session.plan.given.text[:_LONGEST_TOLD]}\n\n"
        f"They were answered:\n{answer[:_LONGEST_TOLD]}"
    )
    said = await session.leader.calls.ask("memory", FACTS, text)
    found = _LIST.search(said)
    try:
        value = value_of(found.group(0)) if found else None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, list):
        session.leader.log("warn", "The model did not say what to remember of the person; what was known stays.")
        return None
    facts = [" ".join(fact.split())[:LONGEST_FACT] for fact in value if isinstance(fact, str) and fact.strip()]
    return list(dict.fromkeys(facts))[:MOST_FACTS]
