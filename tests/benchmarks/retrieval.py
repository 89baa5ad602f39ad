"""How well passages are found: by words, by meaning, and by both, for questions whose documents are known.

240 documents about pairs of matters, indexed by a real worker with an embedding model over real HTTP. 150 questions of three kinds:
paraphrases, in which no telling word of the document stands; names and numbers, which mean nothing to a model; and both together, as
people ask. All are made from one seed.
"""

from __future__ import annotations

import random
import sys
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from django.core.files.base import ContentFile

from accounts.models import User
from buckets import services
from buckets.models import UNDER_WAY, Bucket, Version
from buckets.queries import find_in
from integrations import services as integrations
from mindloom import wall
from tests.benchmarks import people
from tests.benchmarks.house import House, until
from tests.benchmarks.report import Row
from tests.fakes.embedder import concepts

if TYPE_CHECKING:
    from uuid import UUID

DOCUMENTS, OF_EACH_KIND = 240, 50
SURNAMES = [
    f"{first}{last}" for first in ("Bra", "Kel", "Mor", "Tha", "Ving", "Ost") for last in ("den", "mann", "rup")
]
PLACES = ("Aalborg", "Bergen", "Cadiz", "Delft", "Erfurt", "Fulda", "Genoa", "Hull")
FILLER = "please note that this applies to everybody and that it was last looked at when the rules were written anew"
WAYS = {"by words": ("words",), "by meaning": ("meaning",), "by both": ("words", "meaning")}
AMONG = 5


class Paper(NamedTuple):
    """A document, and what can be asked about it."""

    name: str
    text: str
    matters: tuple[list[str], ...]
    surname: str
    place: str
    number: int


class Asked(NamedTuple):
    """A question, what kind it is, and the document that answers it."""

    kind: str
    text: str
    name: str


def measure(house: House) -> list[Row]:
    """Recall among the first five and mean reciprocal rank, of each way and kind."""
    chance = random.Random(20)
    papers = _papers(chance)
    asked = [one for kind in (_paraphrase, _number, _mixed) for one in kind(papers, chance)]
    server = house.start("embedder", [sys.executable, "-m", "tests.fakes.embedder", "--port", "0"])
    until(lambda: server.check() and server.output.endswith("\n"), "the embedder says its port")
    house.worker()
    with wall.system("benchmark"):
        bucket = _indexed(papers, f"http://127.0.0.1:{int(server.output)}/v1")
        found = {way: _ranks(bucket, asked, ways) for way, ways in WAYS.items()}
    rows = []
    for kind in ("all", *dict.fromkeys(one.kind for one in asked)):
        for way, ranks in found.items():
            some = [rank for one, rank in zip(asked, ranks, strict=True) if kind in {"all", one.kind}]
            rows.append(_row(kind, way, some, found, asked))
    return rows


def _row(kind: str, way: str, ranks: list[int], found: dict[str, list[int]], asked: list[Asked]) -> Row:
    name = f"Retrieval {way}, {'all' if kind == 'all' else kind} ({len(ranks)} questions, {DOCUMENTS} documents)"
    said = f"recall@{AMONG} {_recall(ranks):.3f}, MRR {_mrr(ranks):.3f}"
    if kind != "all" or way != "by both":
        return Row(name, said)
    alone = [found[one] for one in WAYS if one != "by both"]
    is_best = _recall(ranks) >= max(map(_recall, alone)) and _mrr(ranks) >= max(map(_mrr, alone))
    return Row(name, said, "", "at least the better of the two", is_best)


def _recall(ranks: list[int]) -> float:
    return sum(0 < rank <= AMONG for rank in ranks) / len(ranks)


def _mrr(ranks: list[int]) -> float:
    return sum(1 / rank for rank in ranks if rank) / len(ranks)


def _papers(chance: random.Random) -> list[Paper]:
    pairs = list(combinations(concepts(), 2))
    chance.shuffle(pairs)
    papers = []
    for number, matters in enumerate(pairs[:DOCUMENTS]):
        said = [[word for word in matter[:2] for _ in range(2)] for matter in matters]
        other = [chance.choice(matter) for matter in chance.sample(concepts(), 2)]
        words = [*said[0], *said[1], *other, *FILLER.split(), *chance.sample(FILLER.split(), 9)]
        chance.shuffle(words)
        surname, place, code = chance.choice(SURNAMES), chance.choice(PLACES), 1_000 + number * 7
        text = f"Ask {surname} in {place}. Form {code}.\n\n{' '.join(words).capitalize()}."
        papers.append(Paper(f"paper-{number:03}.txt", text, matters, surname, place, code))
    return papers


def _paraphrase(papers: list[Paper], chance: random.Random) -> list[Asked]:
    """Other words for both matters of the document."""
    return [
        Asked("paraphrases", f"what about {' and '.join(chance.choice(m[2:]) for m in one.matters)}", one.name)
        for one in chance.sample(papers, OF_EACH_KIND)
    ]


def _number(papers: list[Paper], chance: random.Random) -> list[Asked]:
    """The number of the form, with the usual word for something that many documents are about."""
    return [
        Asked("names and numbers", f"form {one.number} on {one.matters[0][0]}", one.name)
        for one in chance.sample(papers, OF_EACH_KIND)
    ]


def _mixed(papers: list[Paper], chance: random.Random) -> list[Asked]:
    """Another word for one of its matters, and whom to ask where."""
    return [
        Asked("both", f"{chance.choice(one.matters[1][2:])} ask {one.surname} in {one.place}", one.name)
        for one in chance.sample(papers, OF_EACH_KIND)
    ]


def _indexed(papers: list[Paper], url: str) -> Bucket:
    owner = people.person()
    administrator = User.objects.create_superuser("admin@example.org", "a long enough phrase", name="Ada")
    provider = integrations.create_provider(actor=administrator, kind="openai_like", name="Meaning", base_url=url)
    model = integrations.add_model(actor=administrator, provider=provider, model_id="concepts", purpose="embedding")
    department = owner.memberships.get().department_id
    made = services.create_bucket(actor=owner, department_id=department, name="Papers", embedding_model=model)
    for one in papers:
        services.add_document(actor=owner, bucket=made, file=ContentFile(one.text.encode()), name=one.name)
    until(lambda: not Version.objects.filter(state__in=UNDER_WAY).exists(), "all papers can be searched")
    assert not Version.objects.filter(state="failed").exists()
    return Bucket.objects.select_related("generation").get(pk=made.pk)


def _ranks(bucket: Bucket, asked: list[Asked], ways: tuple[str, ...]) -> list[int]:
    """The place of each question's document among the first ten passages, 0 when it is not there."""
    names: dict[UUID, str] = dict(bucket.documents.values_list("uuid", "name"))
    assert bucket.generation is not None
    ranks = []
    for one in asked:
        hits = find_in([bucket.generation], {bucket.pk: bucket}, one.text, 10, ways=ways, is_strict=True).hits
        places = [place for place, hit in enumerate(hits, start=1) if names[hit.document] == one.name]
        ranks.append(places[0] if places else 0)
    return ranks
