"""Our list of Agno's events, held against the installed Agno."""

from __future__ import annotations

import subprocess
import sys

from agno.run.agent import RunEvent
from agno.run.team import TeamRunEvent

from mindloom.engine.agno_adapter import outcomes
from mindloom.engine.events import TYPES

LISTED = (outcomes.ENDS, outcomes.AT_THE_BOUNDARY, outcomes.IGNORED)


def test_every_event_of_agno_is_translated_or_ignored():
    teams = {event.value.removeprefix(outcomes.TEAM) for event in TeamRunEvent}
    assert {event.value for event in RunEvent} | teams == set().union(*LISTED)


def test_no_event_is_listed_twice():
    assert sum(len(names) for names in LISTED) == len(set().union(*LISTED))


def test_what_is_seen_at_the_boundary_becomes_an_event_of_ours():
    ours = {name for names in outcomes.AT_THE_BOUNDARY.values() for name in names.split(", ")}
    assert ours <= TYPES.keys()


def test_the_adapter_is_imported_without_agno():
    code = "import sys, mindloom.engine.agno_adapter; sys.exit(any(m.split('.')[0] in {'agno', 'openai'} for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_agno_neither_prints_nor_reports_home():
    code = (
        "import logging, os, mindloom.engine.agno_adapter.agno_setup as a;"
        "from agno.utils import log; log.log_error('prompt'); log.log_warning('prompt'); log.logger.setLevel('DEBUG');"
        "log.log_info('prompt'); print(os.environ['AGNO_TELEMETRY'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("false\n", "")


def test_the_sdks_of_single_providers_are_imported_only_where_they_are_used():
    code = "import sys, mindloom.engine.agno_adapter.session; sys.exit('anthropic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
