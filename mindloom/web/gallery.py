"""The living style guide at /ui/: every component once, with invented content. Only for development."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

if TYPE_CHECKING:
    from collections.abc import Mapping

STATES = ("queued", "running", "waiting", "completed", "failed", "cancelled")
START = 1_795_417_200_000
RUNS = [
    ("Weekly grant digest", "#4182 · Grant Scouts", "running", "0.31", 161_000),
    ("Intake triage", "#4181 · workflow", "waiting", "0.02", 48_000),
    ("Proposal review", "#4180 · Reviewer", "completed", "0.84", 370_000),
    ("CRM clean-up", "#4179 · schedule", "failed", "0.0042", 62_000),
    ("Reading list", "#4178 · Library helper", "cancelled", "0", 4_000),
    ("Budget summary", "#4177 · Finance bot", "queued", None, None),
]
LOG = [
    ("info", "run", "Planner", "Run started by Amara Okafor"),
    ("info", "knowledge", "Scout EU", "Embedding 6 pages into scratch index, \x1b[34m112 chunks\x1b[0m"),
    ("debug", "log", "Scout EU", "cache miss for horizon-calls"),
    ("info", "model", "Writer", "model call mistral-large  8,412 in · 1,930 out · 11.4 s"),
    ("warn", "tool", "query_crm", "HTTP 503 from crm.internal, retry 1 of 3 in \x1b[33m2.0 s\x1b[0m"),
    ("info", "tool", "query_crm", "\x1b[32m200\x1b[0m 38 partner records in 412 ms"),
    ("info", "reasoning", "Writer", "The portal and the PDF disagree on the deadline. I will show both."),
    ("error", "tool", "fetch_page", "Connection refused by portal.example after 3 tries"),
    ("warn", "approval", "Reviewer", "Waiting for a decision: send the digest to 42 recipients?"),
    ("info", "content", "Writer", "Three regional programmes reopened this week.\nThe largest funds up to 250 k EUR."),
]
MARKDOWN = """\
**Two calls fit well.** Both are open today; see [the portal](https://portal.example/calls).

1. `HORIZON-CL4-2026-HUMAN-02` closes on 4 December.
2. *Erasmus+* closes on 18 December.

| Call | Closes |
|---|---|
| HORIZON-CL4 | 4 December |

```python
def days_left(deadline: date) -> int:
    return (deadline - date.today()).days  # never negative in practice
```

> If two sources disagree, show both.
"""


class SampleForm(forms.Form):
    """One field of each kind, with a few mistakes in it."""

    name = forms.CharField(initial="Grant scout")
    role = forms.CharField(required=False, help_text="Teams see this when they choose whom to call.")
    password = forms.CharField(widget=forms.PasswordInput)
    instructions = forms.CharField(widget=forms.Textarea(attrs={"rows": 4}), max_length=60)
    answer = forms.ChoiceField(choices=[("md", "Markdown report"), ("json", "Structured data")])
    model = forms.ChoiceField(
        widget=forms.RadioSelect,
        choices=[
            ("swift", "Swift\nFast drafts, €0.10 / €0.30"),
            ("balanced", "Balanced\nRecommended, €1.80 / €5.40"),
            ("local", "On premises\nData stays here"),
        ],
    )
    buckets = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple,
        required=False,
        choices=[("a", "horizon-calls\n248 files"), ("b", "past-proposals\n61 files")],
    )
    calls = forms.IntegerField(label="Tool calls")
    until = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))
    file = forms.FileField(required=False)
    active = forms.BooleanField(required=False, label="Search the web", help_text="Read-only. Allowed sites: 12.")


def _form() -> SampleForm:
    data: Mapping[str, object] = {
        "name": "Grant scout",
        "role": "Finds open calls",
        "instructions": "You help the department find funding. Answer short.",
        "answer": "md",
        "model": "balanced",
        "calls": "4O",
        "active": "on",
        "password": "secret",
    }
    return SampleForm(data)


@require_safe
def gallery(request: HttpRequest) -> HttpResponse:
    """Show every component; hidden unless DEBUG is on."""
    if not settings.DEBUG:
        raise Http404
    lines = [
        {
            "n": n,
            "key": str(n),
            "at": START + n * 1_370,
            "level": level,
            "kind": kind,
            "source": source,
            "text": text,
            "op": "new",
        }
        for n, (level, kind, source, text) in enumerate(LOG * 3, start=1)
    ]
    lines[3]["more"] = "prompt 8,412 tokens\ncompletion 1,930 tokens\ntemperature 0.3"
    runs = [dict(zip(("title", "note", "state", "cost", "ms"), run, strict=True)) for run in RUNS]
    context = {
        "states": STATES,
        "effects": ("reads", "writes", "sends", "executes"),
        "kinds": (
            ("agent", "bot"),
            ("model", "sparkles"),
            ("tool", "wrench"),
            ("knowledge", "library"),
            ("human", "hand"),
        ),
        "tones": ("info", "warn", "danger", "ok"),
        "tag_tones": ("neutral", "accent", "ok", "warn", "danger", "info"),
        "form": _form(),
        "runs": runs,
        "page": Paginator(range(1204), 6).page(2),
        "markdown": MARKDOWN,
        "lines": lines,
    }
    return render(request, "ui/gallery.html", context)
