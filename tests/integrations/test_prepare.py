"""What an installation begins with that leaves the demonstration out."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from integrations.models import Model

pytestmark = pytest.mark.django_db


def test_there_is_a_model_to_begin_with():
    assert not Model.objects.exists()
    call_command("prepare", "--no-demo", "--no-static")
    call_command("prepare", "--no-demo", "--no-static")

    assert [model.provider.kind for model in Model.objects.usable().filter(is_default=True)] == ["offline"]
