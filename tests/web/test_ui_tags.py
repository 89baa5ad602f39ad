"""Figures, times, icons: what a person reads."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import lucide
import pytest
from django.utils import timezone

from mindloom.web.templatetags import ui


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (0, "0 ms"),
        (420, "420 ms"),
        (1_800, "1.8 s"),
        (59_940, "59.9 s"),
        (59_990, "1:00"),
        (161_000, "2:41"),
        (3_729_000, "1:02:09"),
        (dt.timedelta(seconds=90), "1:30"),
        (None, ui.DASH),
        ("soon", ui.DASH),
        (-5, "0 ms"),
    ],
)
def test_a_duration_reads_as_a_person_would_say_it(ms, words):
    assert ui.duration(ms) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [(950, "950"), (48_210, "48.2k"), (999_960, "1.0M"), (1_300_000, "1.3M"), (None, ui.DASH), (float("nan"), ui.DASH)],
)
def test_a_count_is_short_enough_for_a_tile(count, words):
    assert ui.compact(count) == words


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KB"), (12_288, "12 KB"), (5 * 1024**4, "5120 GB"), ("", ui.DASH)],
)
def test_a_file_size_has_a_unit(size, words):
    assert ui.filesize(size) == words


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        (Decimal("0.31"), "EUR", "€0.31"),
        (Decimal("0.0042"), "EUR", "€0.0042"),
        (1234.5, "USD", "$1,234.50"),
        (-2, "EUR", "\N{MINUS SIGN}€2.00"),
        (3, "CHF", "CHF\N{NO-BREAK SPACE}3.00"),
        (None, "EUR", ui.DASH),
    ],
)
def test_money_names_its_currency_and_small_amounts_stay_visible(amount, currency, words):
    assert ui.money(amount, currency) == words


def test_a_share_never_leaves_the_bar():
    assert [ui.percent(8, 11), ui.percent(12, 10), ui.percent(-1, 10), ui.percent(5, 0), ui.percent(None)] == [
        "72.7",
        "100.0",
        "0.0",
        "0",
        "0",
    ]


@pytest.mark.parametrize(
    ("back", "words"),
    [
        (dt.timedelta(seconds=5), "just now"),
        (dt.timedelta(minutes=3), "3 min ago"),
        (dt.timedelta(hours=5), "5 h ago"),
        (dt.timedelta(days=2), "2 d ago"),
        (-dt.timedelta(hours=2, seconds=5), "in 2 h"),
    ],
)
def test_a_relative_time_keeps_the_exact_one_in_the_element(back, words):
    moment = timezone.now() - back
    element = ui.ago(moment)
    assert f">{words}</time>" in element
    assert f'datetime="{moment.isoformat(timespec="seconds")}"' in element


def test_an_old_time_is_shown_as_a_date():
    assert "2020" in ui.ago(dt.datetime(2020, 5, 4, 12, 0, tzinfo=dt.UTC))


def test_a_missing_time_is_a_dash():
    assert ui.ago(None) == ui.at(None) == ui.DASH


def test_an_icon_is_hidden_unless_it_has_a_label():
    assert 'aria-hidden="true"' in ui.icon("hand", 14)
    assert 'role="img"' in ui.icon("hand", label="Waiting")


def test_an_unknown_icon_fails_at_once():
    with pytest.raises(lucide.IconDoesNotExist):
        ui.icon("no-such-icon")


def test_a_label_cannot_leave_its_attribute():
    assert '"><script>' not in ui.icon("hand", label='"><script>')


@pytest.mark.parametrize(
    ("name", "letters"), [("Amara Okafor", "AO"), ("amara.okafor", "AO"), ("Library", "LI"), ("", "?"), ("- -", "?")]
)
def test_initials_come_from_the_first_and_last_word(name, letters):
    assert ui.initials(name) == letters


def test_an_unknown_state_is_shown_as_it_is():
    assert ui.state_look("half_done").label == "Half done"
    assert ui.state_look("failed").icon == "circle-x"
