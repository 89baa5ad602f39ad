"""Writes a finished run with a long log into an installation: `python -m tests.browser.long_run <agent> <address> <events>` says its uuid."""

from __future__ import annotations

import sys

import django


def main(agent_uuid: str, address: str, count: int) -> None:
    django.setup()
    from accounts.models import User
    from agents.models import Agent
    from mindloom import wall
    from tests import factories
    from tests.benchmarks import logs

    with wall.system("tests: a long log"):
        agent = Agent.objects.get(uuid=agent_uuid)
        run = factories.run(agent, User.objects.get(email=address), **logs.under_way(count))
        made = list(logs.story(count, run.queued_at, agent.name))
        logs.write(run, made)
        logs.end(run, made[-1].at)
    print(run.uuid)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
