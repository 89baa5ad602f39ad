"""Writes a finished run with a long log into an installation: `python -m tests.browser.long_run <agent> <address> <events>` says its uuid."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import django


def main(agent_uuid: str, address: str, count: int) -> None:
    django.setup()
    from accounts.models import User
    from agents.models import Agent
    from mindloom import wall
    from tests import factories
    from tests.benchmarks import logs

    with wall.system("tests: a long log"):
        agent, began = Agent.objects.get(uuid=agent_uuid), datetime.now(UTC) - timedelta(minutes=9)
        run = factories.run(agent, User.objects.get(email=address), queued_at=began, started_at=began)
        made = list(logs.story(count, began, agent.name))
        logs.write(run, made)
        logs.end(run, made[-1].at)
    print(run.uuid)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
