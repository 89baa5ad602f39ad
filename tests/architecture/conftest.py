"""Both departments with a row in every table with a department."""

from __future__ import annotations

import pytest
from django.core.files.base import ContentFile

from audit.services import record
from mindloom import wall
from runs.models import (
    Approval,
    Conversation,
    JournalEntry,
    PersonMemory,
    RetentionReport,
    RunArtifact,
    RunEvent,
    StrayFile,
    UsageRecord,
)
from tests import factories


@pytest.fixture
def filled(cast):
    """Every tenant table has rows of Marketing and of Finance; an audit row belongs to nobody."""
    with wall.system("tests: fill both departments"):
        for person, department in ((cast.alice, cast.marketing), (cast.mallory, cast.finance)):
            agent = factories.agent(person, department)
            run = factories.run(agent, person)
            RunEvent.objects.create(run=run, seq=1, department=department, at=run.queued_at, type="log.written")
            RunArtifact.objects.create(
                run=run,
                department=department,
                name="a.txt",
                media_type="text/plain",
                size_bytes=1,
                file=ContentFile(b"a", "a"),
            )
            factories.team(person, department, agent)
            Approval.objects.create(
                run=run, department=department, key="0:tool:1", kind="approval", tool="t", arguments={}
            )
            JournalEntry.objects.create(run=run, department=department, name="x", value={})
            UsageRecord.objects.create(
                department=department, run=run, run_uuid=run.uuid, seq=1, at=run.queued_at, duration_ms=1
            )
            Conversation.objects.create(department=department, owner=person, agent=agent)
            PersonMemory.objects.create(department=department, person=person, agent=agent)
            RetentionReport.objects.create(department=department, night=run.queued_at.date())
            StrayFile.objects.create(department=department, path="runs/a/b")
            factories.connection(person, department)
            factories.webhook(person, department)
            factories.bucket(person, department)
            factories.schedule(agent, person)
            factories.notification(person, department)
            factories.invitation(person, department)
            record(actor=person, action="agent.created", target=agent)
        record(actor=None, action="demo.seeded")
    return cast
