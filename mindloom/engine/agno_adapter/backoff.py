"""Waits before a provider is asked: as long as it wants to be left alone, by whichever run it said so, and after failures that pass."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from mindloom.engine.agno_adapter.failures import Failure
from mindloom.engine.agno_adapter.loop import LOOP

if TYPE_CHECKING:
    from mindloom.engine.agno_adapter.part import Part
    from mindloom.engine.spec import ModelSpec

BACKOFF_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0
"""A provider that did not say how long is asked again after so long at most; one that asks for more loses the request to a fallback."""
LONGEST_ASKED_SECONDS = 600.0
"""A run does not hold its place for a provider that wants to be left alone for longer."""


class Backoff:
    """The patience of one part of a run with its providers."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._ports = part.session.plan.ports

    async def before(self, spec: ModelSpec, *, has_fallback: bool) -> Failure | None:
        """Wait until the provider may be asked. The failure instead, when that would take too long."""
        if not spec.provider_key:
            return None
        said = False
        while (seconds := await LOOP.in_thread(partial(self._ports.wait_for, spec.provider_key))) > 0:
            if seconds > (LONGEST_WAIT_SECONDS if has_fallback else LONGEST_ASKED_SECONDS):
                return Failure(f"{_limits(spec)} for another {seconds:.0f} s. Try again later.")
            if not said:
                self._part.log("warn", f"{_limits(spec)}; this run waits for {seconds:.1f} s, as all others do.")
                said = True
            await asyncio.sleep(seconds)
        return None

    async def after(self, failure: Failure, spec: ModelSpec, attempt: int, *, has_fallback: bool) -> bool:
        """Wait before the next attempt, as long as the provider asks for. False when that is too long to wait for."""
        asked = failure.retry_after
        seconds = min(LONGEST_WAIT_SECONDS, BACKOFF_SECONDS * 2**attempt) if asked is None else asked
        if failure.limits and spec.provider_key:
            await LOOP.in_thread(partial(self._ports.hold, spec.provider_key, seconds))
        if seconds > (LONGEST_WAIT_SECONDS if has_fallback else LONGEST_ASKED_SECONDS):
            return False
        attempts = self._part.plan.retries + 1
        self._part.log(
            "warn", f"{failure.message} Trying again in {seconds:g} s (attempt {attempt + 2} of {attempts})."
        )
        await asyncio.sleep(seconds)
        return True


def _limits(spec: ModelSpec) -> str:
    return f'The provider "{spec.provider or spec.kind}" takes no more requests'
