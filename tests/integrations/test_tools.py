"""The tools of the catalogue, each through its functions."""

from __future__ import annotations

import datetime as dt
import json
import time

import pytest

from integrations import tools
from integrations.tools import calculator, csv_table, markup, web_page
from mindloom.engine.errors import EngineError
from mindloom.engine.ports import SavedArtifact, ToolError
from mindloom.engine.spec import ToolSpec


class Context:
    """A run that keeps what is saved."""

    def __init__(self):
        self.saved = []

    def save_artifact(self, name, content, media_type):
        self.saved.append((name, content, media_type))
        return SavedArtifact(uuid="1", name=name, media_type=media_type, size_bytes=len(content))

    def log(self, message, level="info"):
        pass

    def cancelled(self):
        return False


def call(key, function, context=None, config=None, /, **arguments):
    functions = {one.info.name: one for one in tools.functions(ToolSpec(key=key, config=config or {}))}
    return functions[function].call(arguments, context or Context())


def test_every_tool_describes_itself(db):
    for tool in tools.catalogue():
        for function in tool.functions(tools.Setup(config={})):
            assert function.info.parameters["additionalProperties"] is False
            assert function.info.description


def test_an_unknown_tool_ends_the_run_with_a_sentence():
    with pytest.raises(EngineError, match="not in the catalogue"):
        tools.functions(ToolSpec(key="rocket"))


def test_a_wrong_configuration_ends_the_run_with_a_sentence():
    with pytest.raises(EngineError, match="set up wrongly"):
        tools.functions(ToolSpec(key="web_page", config={"sites": "all"}))


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("0.1 + 0.2", "0.3"),
        ("(1200 - 80) * 0.19", "212.8"),
        ("2^10", "1024"),
        ("-3 ** 2", "-9"),
        ("7 // 2 + 7 % 2", "4"),
        ("-7 // 2", "-4"),
        ("-7 % 3", "2"),
        ("round(2.675, 2)", "2.68"),
        ("sum([19.99, 5.01]) / 2", "12.5"),
        ("max(1, 5, 3) - min(4, 2)", "3"),
        ("sqrt(2) * sqrt(2)", "2"),
        ("1_000 * 3", "3000"),
        ("10 / 3", "3.333333333333333333333333333"),
        ("1e3 + 1", "1001"),
    ],
)
def test_the_calculator_is_exact(expression, value):
    assert calculator.evaluate(expression) == value


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "2 +",
        "__import__('os')",
        "().__class__",
        "open('x')",
        "a + 1",
        "'a' * 9",
        "1 if 1 else 2",
        "[1] * 9",
        "9 ** 9 ** 9",
        "10 ** 1000",
        "1e999",
        "1 / 0",
        "0 ** -1",
        "sqrt(-1)",
        "sqrt(1, 2)",
        "round(1, 99)",
        "True + 1",
        "1j",
        "lambda: 1",
        "-" * 400 + "1",
        "1+" * 240 + "1",
        "9" * 501,
        "1\x00",
        "ln(0)",
    ],
)
def test_the_calculator_refuses_with_a_sentence(expression):
    with pytest.raises(ToolError):
        calculator.evaluate(expression)


def test_the_clock_knows_time_zones():
    assert str(dt.datetime.now(dt.UTC).year) in call("datetime", "current_datetime")
    assert "Europe/Berlin" in call("datetime", "current_datetime", timezone="Europe/Berlin")
    with pytest.raises(ToolError, match="not a time zone"):
        call("datetime", "current_datetime", timezone="../../etc/passwd")


def test_days_between_dates():
    said = call("datetime", "date_difference", start="2026-10-31", end="2026-11-23")
    assert "23 days" in said
    assert "16 weekdays" in said
    assert "-23 days" in call("datetime", "date_difference", start="2026-11-23", end="2026-10-31")


def test_adding_days():
    assert "2026-03-01" in call("datetime", "add_to_date", date="2026-02-28", days=1)
    for arguments in (
        {"date": "soon", "days": 1},
        {"date": "9999-12-31", "days": 1},
        {"date": "2026-01-01", "days": 10**9},
    ):
        with pytest.raises(ToolError):
            call("datetime", "add_to_date", **arguments)


def test_a_file_is_saved_with_a_safe_name_and_its_type():
    context = Context()
    call("artifact", "save_artifact", context, name="../../etc/Brief: v1.md", content="# Hi", format="markdown")
    call("artifact", "save_artifact", context, name="data", content='{"a":1}', format="json")
    assert context.saved[0] == ("Brief- v1.md", b"# Hi", "text/markdown")
    assert json.loads(context.saved[1][1]) == {"a": 1}


@pytest.mark.parametrize(
    "arguments", [{"content": " "}, {"content": "{", "format": "json"}, {"content": "x", "format": "exe"}]
)
def test_a_file_that_cannot_be_saved_is_refused(arguments):
    with pytest.raises(ToolError):
        call("artifact", "save_artifact", name="a", **arguments)


TABLE = "person,category,amount\nLena,Travel,412.80\nOmar,Travel,89.50\nLena,Meals,64.20\nFinn,Software,\n"


def test_a_table_is_described():
    said = call("csv_table", "csv_describe", csv_text=TABLE)
    assert "4 rows, 3 columns" in said
    assert "566.50" in said


def test_a_table_is_sorted_by_number_with_empty_cells_last():
    said = call(
        "csv_table",
        "csv_table",
        csv_text=TABLE,
        sort_by="Amount",
        descending=True,
        columns=["person", "amount"],
        limit=2,
    )
    assert said.index("412.80") < said.index("89.50")
    assert "4 rows in all, the first 2 are shown" in said
    assert "Travel" not in said


def test_amounts_are_added_up_exactly_by_group():
    said = call("csv_table", "csv_aggregate", csv_text=TABLE, group_by="category", value="amount", operation="sum")
    assert "| Travel | 2 | 502.30 |" in said
    assert "| Total | 4 | 566.50 |" in said
    assert "| Software | 1 | – |" in said


def test_rows_are_counted_without_a_value():
    assert "| Lena | 2 | 2 |" in call(
        "csv_table", "csv_aggregate", csv_text=TABLE, group_by="person", operation="count"
    )


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("1,234.50", "1234.50"),
        ("1.234,50", "1234.50"),
        ("€ 40,000", "40000"),
        ("(80.00)", "-80.00"),
        ("12 %", "12"),
        ("-€5", "-5"),
        ("3,5", "3.5"),
        ("1’000", "1000"),
        ("abc", None),
        ("2026-11-02", None),
        ("", None),
    ],
)
def test_numbers_are_read_as_people_write_them(cell, number):
    assert csv_table.as_number(cell) == (None if number is None else csv_table.Decimal(number))


@pytest.mark.parametrize("text", ["", "only a header,b", "\x00\x00", 'a,b\n"' + "x" * 2_000_001])
def test_what_is_no_table_is_refused(text):
    with pytest.raises(ToolError):
        call("csv_table", "csv_describe", csv_text=text)


def test_an_unknown_column_is_answered_with_the_ones_there_are():
    with pytest.raises(ToolError, match="person, category, amount"):
        call("csv_table", "csv_table", csv_text=TABLE, sort_by="colour")


def test_what_is_to_be_read_is_taken_from_a_page():
    title, text = markup.readable(
        "<html><head><title> A &amp; B </title><script>var x</script></head><body><nav>Menu</nav><h1>Head</h1>"
        "<p>One <b>two</b></p><ul><li>First</li><li>Second</li></ul><table><tr><td>1</td><td>2</td></tr></table></p></div></body>"
    )
    assert title == "A & B"
    assert text.startswith("# Head\n\nOne two")
    assert "- First\n- Second" in text
    assert "Menu" not in text
    assert "var x" not in text


@pytest.mark.parametrize("site", ["Example.org/", "*.example.org", "https://example.org/x", "localhost:8000"])
def test_sites_are_written_in_many_ways(site):
    assert web_page.site(site)


def test_a_page_of_another_site_is_not_fetched():
    with pytest.raises(ToolError, match="not among the sites"):
        call("web_page", "fetch_page", None, {"sites": ["example.org"]}, url="https://notexample.org/")


def test_a_private_page_is_not_fetched():
    with pytest.raises(ToolError, match="private or reserved"):
        call("web_page", "fetch_page", url="http://169.254.169.254/latest/meta-data")


@pytest.mark.parametrize(
    "piece",
    [
        "<!--",
        "<!",
        "<?",
        "</",
        "<",
        "<a ",
        '<a b="',
        "<svg>",
        "<svg></b>",
        "<div>",
        "<b><p>",
        "<script>",
        "<title>",
        "&",
        "&#",
        "<![CDATA[",
    ],
)
def test_no_page_takes_longer_to_read_than_it_is_long(piece):
    begin = time.process_time()
    markup.readable(piece * (1_000_000 // len(piece)))

    assert time.process_time() - begin < 10


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ('<p title="a > b">one</p>', "one"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("a<script>if (1 < 2) { '</p>' }</script>b<SCRIPT>c</SCRIPT >d", "abd"),
        ("a<nav>b<nav>c</nav>d</nav>e</nav>f", "aef"),
        ("a<svg/>b<svg><p>c</p></svg>d", "abd"),
        ("a<!-- b -->c<!-- d", "ac"),
        ("a<p", "a"),
    ],
)
def test_a_page_is_read_as_a_browser_would(page, text):
    assert markup.readable(page)[1] == text


@pytest.mark.parametrize("cell", ["1" * 1_000_000 + "x", "1" + " " * 1_000_000 + "x"])
def test_a_cell_that_looks_like_a_number_for_ever_is_text(cell):
    assert csv_table.as_number(cell) is None


def test_numbers_of_any_usual_length_add_up():
    table = f"amount\n{'9' * 40}\n0.05\n"

    assert f"{int('9' * 40):,}.05" in call(
        "csv_table", "csv_aggregate", csv_text=table, operation="sum", value="amount"
    )
    assert "2 rows" in call("csv_table", "csv_describe", csv_text=table)


def test_a_table_that_would_unfold_to_more_than_memory_is_refused():
    with pytest.raises(ToolError, match="cells are the most"):
        call("csv_table", "csv_describe", csv_text="a," * 500_000 + "\n" + "x\n" * 40_000)
