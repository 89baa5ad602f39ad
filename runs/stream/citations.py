"""The passages that a run was given, as its answer cites them: each looked up again in the version of the document it is from.

Numbers are counted through the whole run. What is shown depends on who looks: a document may be gone by now, or out of sight.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from buckets.models import Document, Page, Version
from mindloom import wall
from runs.models import RunEvent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from accounts.queries import Person
    from runs.models import Run

MOST_UNCITED = 40
"""Passages that are shown although the answer does not name them; those that it names all are."""
Found = Literal["there", "missing", "gone", "unknown"]
_CITED = re.compile(r"\[(\d{1,4})\]")
_QUOTED = re.compile(r"[“\"„«]([^“”\"„«»\n]{12,400})[”“\"»][\s.,;:)]{0,3}((?:\[\d{1,4}\]\s?)+)")
_SIGNS = str.maketrans({"“": '"', "”": '"', "„": '"', "’": "'", "‘": "'", "*": "", "_": "", "`": ""})
_GAP = re.compile(r"\[?(?:…|\.\.\.)\]?")


@dataclass(frozen=True, kw_only=True)
class Citation:
    """A passage, and what came of looking it up.

    `number` is what the answer cites it by, 0 when that would be ambiguous. `found` says whether the quote stands in that version
    of the document: "there", "missing", "gone" for a document that was removed or is out of the viewer's sight, "unknown" for runs
    that did not note where their passages are from. `misquoted` are words that the answer has in quotation marks and the page has not.
    """

    number: int
    document: str
    location: str
    text: str
    found: Found = "unknown"
    is_cited: bool = False
    misquoted: tuple[str, ...] = ()
    bucket: str = ""
    document_uuid: str = ""
    version: int = 0
    page: int = 0
    newest: int = 0
    """The version that is searched now; 0 for none."""

    @property
    def is_doubtful(self) -> bool:
        """Whether what the answer says of it cannot be relied on."""
        return self.found in {"missing", "gone"} or bool(self.misquoted)


def citations_of(run: Run, viewer: Person) -> list[Citation]:
    """What was looked up in documents, those that the answer names first, each in the order of the run."""
    with wall.tenant([run.department_id]):
        events = RunEvent.objects.filter(run_id=run.pk, type="knowledge.retrieved").order_by("seq")
        found = [one for data in events.values_list("data", flat=True) for one in data.get("passages") or ()]
    cited = {int(number) for number in _CITED.findall(run.output)}
    # Runs of earlier releases counted each look-up from 1; a number that two passages have names neither.
    times = Counter(_number(one) for one in found)
    numbered = [(_number(one) if times[_number(one)] == 1 else 0, one) for one in found]
    named = [(number, one) for number, one in numbered if number in cited]
    others = [(number, one) for number, one in numbered if number not in cited][:MOST_UNCITED]
    return _looked_up(run, viewer, [*named, *others], cited)


def unmatched(run: Run, citations: Iterable[Citation]) -> list[int]:
    """The numbers that the answer cites although no passage of the run has them, if it has passages at all."""
    known = {one.number for one in citations}
    cited = {int(number) for number in _CITED.findall(run.output)}
    return sorted(cited - known) if known - {0} else []


def _number(passage: Mapping[str, Any]) -> int:
    return int(passage.get("number") or 0)


def _looked_up(
    run: Run, viewer: Person, passages: list[tuple[int, Mapping[str, Any]]], cited: set[int]
) -> list[Citation]:
    uuids = {str(one["document_id"]) for _, one in passages if one.get("document_id")}
    rows = Document.objects.visible_to(viewer).filter(uuid__in=uuids).select_related("bucket", "live")
    documents = {str(one.uuid): one for one in rows}
    pages = _pages(documents.values(), [one for _, one in passages])
    quoted = _quotations(run.output)
    return [_citation(number, one, documents, pages, cited, quoted) for number, one in passages]


def _pages(documents: Iterable[Document], passages: Iterable[Mapping[str, Any]]) -> dict[tuple[str, int, int], str]:
    """The texts of the pages that the passages are from, by document, version and page, ready to be compared."""
    uuids = {one.pk: str(one.uuid) for one in documents}
    versions = Version.objects.filter(document__in=uuids).values_list("content", "document", "number")
    of_content = {(uuids[document], number): content for content, document, number in versions}
    wanted: dict[tuple[int, int], list[tuple[str, int, int]]] = {}
    for one in passages:
        place = (str(one.get("document_id")), int(one.get("version") or 0), int(one.get("page") or 0))
        if (content := of_content.get(place[:2])) is not None:
            wanted.setdefault((content, place[2]), []).append(place)
    rows = Page.objects.filter(
        content__in={content for content, _ in wanted}, number__in={number for _, number in wanted}
    )
    texts: dict[tuple[str, int, int], str] = {}
    for content, number, text in rows.values_list("content", "number", "text"):
        for place in wanted.get((content, number), ()):
            texts[place] = _plain(text)
    return texts


def _citation(
    number: int,
    passage: Mapping[str, Any],
    documents: Mapping[str, Document],
    pages: Mapping[tuple[str, int, int], str],
    cited: set[int],
    quoted: Mapping[int, list[str]],
) -> Citation:
    uuid, version = str(passage.get("document_id") or ""), int(passage.get("version") or 0)
    page, text = int(passage.get("page") or 0), str(passage.get("text", ""))
    document, stands = documents.get(uuid), pages.get((uuid, version, page))
    found: Found = "unknown"
    if uuid:
        found = "gone" if document is None else "there" if stands and _plain(text) in stands else "missing"
    misquoted = [one for one in quoted.get(number, ()) if stands and not _stands(one, stands)]
    return Citation(
        number=number,
        document=str(passage.get("document", "")),
        location=str(passage.get("location", "")),
        text=text,
        found=found,
        is_cited=number in cited,
        misquoted=tuple(misquoted),
        bucket=str(document.bucket.uuid) if document is not None else "",
        document_uuid=uuid if document is not None else "",
        version=version,
        page=page,
        newest=document.live.number if document is not None and document.live is not None else 0,
    )


def _quotations(output: str) -> dict[int, list[str]]:
    """The words in quotation marks that stand right before a number, by the number. Of several numbers one may hold them."""
    quoted: dict[int, list[str]] = {}
    for words, numbers in _QUOTED.findall(output):
        named = [int(number) for number in _CITED.findall(numbers)]
        if len(named) == 1:
            quoted.setdefault(named[0], []).append(words)
    return quoted


def _stands(words: str, page: str) -> bool:
    """Whether the words stand in the page's text, with gaps where they have dots."""
    return all(_plain(part).strip(" .,;:!?") in page for part in _GAP.split(words))


def _plain(text: str) -> str:
    """The text as it is compared: without breaks, emphasis and kinds of quotation marks, in small letters."""
    return " ".join(text.translate(_SIGNS).casefold().split())
