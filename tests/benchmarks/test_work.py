"""How a rate is counted."""

from __future__ import annotations

import pytest

from tests.benchmarks.work import rate


def test_a_rate_leaves_the_warm_up_out_and_takes_ends_in_any_order():
    assert rate([14.0, 1.0, 10.0, 12.0, 9.0], warm_up=3) == pytest.approx(2 / 4)
