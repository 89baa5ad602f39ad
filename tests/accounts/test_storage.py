"""A department's storage: what fits, what does not, and who is told before it is full."""

from __future__ import annotations

import pytest
from django.core.files.base import ContentFile

from accounts import services
from accounts.models import Department
from accounts.services.storing import MEGABYTE, stored_bytes
from buckets.services import add_document
from mindloom import wall
from mindloom.engine.ports import ToolError
from mindloom.web.errors import Invalid, NotAllowed
from notifications.models import Notification
from notifications.queries import told
from notifications.services import note_limits
from runs.worker.files import store
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def small(cast):
    """Marketing has room for one megabyte; Finance has no limit."""
    return services.update_department(actor=cast.ada, department=cast.marketing, storage_mb=1)


@pytest.fixture
def keep(cast, small):
    """Keeps a file of this many kilobytes: in a bucket, or as one of a run."""
    with wall.tenant([cast.marketing.pk]):
        bucket = factories.bucket(cast.alice, cast.marketing)
        run = factories.run(factories.agent(cast.alice, cast.marketing), cast.alice)

    def make(where, kilobytes, letter=b"x"):
        content = letter * 1024 * kilobytes
        with wall.tenant([cast.marketing.pk]):
            if where == "bucket":
                return add_document(actor=cast.alice, bucket=bucket, file=ContentFile(content), name=f"{letter!r}.txt")
            return store(run, "big.txt", content, "text/plain")

    return make


def test_files_of_buckets_and_of_runs_count_together(keep, cast):
    keep("bucket", 600)
    with pytest.raises(ToolError, match=r"Marketing has used 0\.6 of its 1 MB, and this has 0\.5 MB\. Delete"):
        keep("run", 500)
    keep("run", 400)
    with pytest.raises(Invalid) as refused:
        keep("bucket", 200, b"y")
    assert "Marketing has used" in refused.value.fields["file"][0]
    keep("bucket", 600)  # what is there already takes no more room
    with wall.tenant([cast.marketing.pk]):
        assert 1000 * 1024 < stored_bytes(cast.marketing.pk) <= 1.3 * MEGABYTE


def test_managers_are_told_when_it_is_nearly_full_and_not_all_the_time(keep, cast):
    keep("bucket", 700)
    assert note_limits() == 0
    keep("run", 130)
    assert note_limits() == 1
    with wall.tenant([cast.marketing.pk]):
        [one] = Notification.objects.filter(kind="limit")
    assert one.person == cast.alice
    assert told(one).title == "Marketing has used 81 % of its storage"
    assert note_limits() == 0
    keep("run", 150)
    assert note_limits() == 1
    with wall.tenant([cast.marketing.pk]):
        one.refresh_from_db()
    assert (one.count, one.data["percent"]) == (2, 95)


def test_with_more_room_it_is_no_longer_said(keep, cast, small):
    keep("bucket", 900)
    note_limits()
    services.update_department(actor=cast.ada, department=small, storage_mb=100)
    note_limits()
    with wall.tenant([cast.marketing.pk]):
        assert not Notification.objects.filter(kind="limit").unread().exists()


@pytest.mark.parametrize("wrong", [0, -1, 10**12])
def test_a_limit_that_is_none_is_refused(cast, wrong):
    with pytest.raises(Invalid) as refused:
        services.update_department(actor=cast.ada, department=cast.marketing, storage_mb=wrong)
    assert "storage_mb" in refused.value.fields
    assert Department.objects.get(pk=cast.marketing.pk).storage_mb is None


def test_managers_do_not_set_their_own_limit(cast):
    with pytest.raises(NotAllowed):
        services.update_department(actor=cast.alice, department=cast.marketing, storage_mb=10)
