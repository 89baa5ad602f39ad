"""Finding by meaning: the embedding model is asked over real HTTP, and may be away."""

from __future__ import annotations

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from buckets import services, worker
from buckets.models import Chunk, Document, State, Vector, Version
from buckets.queries import find, search
from buckets.queries.meaning import remembered
from integrations import services as integrations
from integrations.models import Purpose
from integrations.providers.limited import look_again
from mindloom import wall
from mindloom.web.errors import Invalid
from tests.buckets.conftest import read_all
from tests.fakes.embedder import Embedder

REFUNDS = "Every refund is made within two weeks."
GARAGE = "The garage below costs five euros a day."


@pytest.fixture
def embedder():
    remembered.forget()
    look_again()
    with Embedder() as fake:
        yield fake


@pytest.fixture
def model(cast, embedder):
    provider = integrations.create_provider(
        actor=cast.ada, kind="openai_like", name="Meaning", base_url=embedder.url, key="secret-of-the-embedder"
    )
    return integrations.add_model(actor=cast.ada, provider=provider, model_id="concepts", purpose="embedding")


@pytest.fixture
def bucket(cast, in_marketing, model):
    return services.create_bucket(
        actor=cast.alice, department_id=cast.marketing.pk, name="Rules", embedding_model=model
    )


def texts(found):
    return [hit.text for hit in found]


def test_a_passage_is_found_by_what_it_means(add, bucket):
    add("refunds.txt", REFUNDS)
    add("garage.txt", GARAGE)

    (first, *_) = search([bucket], "reimbursement")
    assert first.text == REFUNDS
    assert first.by_words is None
    assert (first.by_meaning.rank, first.words) == (1, ())


def test_what_both_ways_find_comes_first_and_says_so(add, bucket):
    add("refunds.txt", REFUNDS)
    add("money.txt", "Every reimbursement takes time.")

    first = search([bucket], "refund")[0]
    assert (first.text, first.by_words.rank, first.by_meaning.rank, first.score) == (REFUNDS, 1, 1, 1.0)


def test_the_same_text_is_asked_for_once(add, bucket, embedder):
    add("a.txt", REFUNDS)
    add("a.txt", REFUNDS + "\n\nMore.")
    asked = len(embedder.texts)
    document = add("a.txt", REFUNDS)
    assert len(embedder.texts) == asked + (0 if Vector.objects.filter(chunk__document=document).count() == 2 else 1)
    assert Vector.objects.count() == Chunk.objects.count() == 1


def test_many_passages_are_asked_for_in_batches(add, bucket, embedder):
    document = add("long.txt", "\n\n".join(f"Refund number {n}. " + "word " * 200 for n in range(80)))
    assert document.newest.state == State.SEARCHABLE
    assert Vector.objects.count() == document.live.chunk_count >= 80
    assert max(len(batch) for batch in embedder.asked) <= 32


def test_while_the_model_is_away_a_file_waits_and_is_found_by_its_words(add, bucket, embedder):
    embedder.fail(503)
    document = add("refunds.txt", REFUNDS)
    assert document.newest.state == State.CHUNKED
    assert "found by its words" in document.newest.reason
    assert texts(search([bucket], "refund")) == [REFUNDS]
    assert not worker.waiting()

    embedder.fail(None)
    Version.objects.update(waits_until=timezone.now())
    _let_the_provider_be_asked()
    read_all()
    document.newest.refresh_from_db()
    assert (document.newest.state, document.newest.reason) == (State.SEARCHABLE, "")
    assert Vector.objects.count() == 1


def _let_the_provider_be_asked():
    from integrations.providers.limited import KEY
    from integrations.providers.shared import shared

    shared.script("redis.call('DEL', KEYS[1]) return 1", KEY)
    look_again()
    remembered.forget()


def test_a_provider_that_wants_to_be_left_alone_is_asked_by_nobody(add, bucket, embedder):
    embedder.fail(429, retry_after="60")
    document = add("refunds.txt", REFUNDS)
    assert document.newest.waits_until > timezone.now() + timezone.timedelta(seconds=50)
    embedder.fail(None)
    add("garage.txt", GARAGE)
    assert embedder.asked == []
    _let_the_provider_be_asked()


def test_a_search_goes_on_without_the_model_and_says_so(add, bucket, embedder):
    add("refunds.txt", REFUNDS)
    embedder.fail(500)
    found = find([bucket], "refund")
    assert texts(found.hits) == [REFUNDS]
    assert "answered 500" in found.notes[0]
    assert "secret-of-the-embedder" not in found.notes[0]


def test_a_text_that_is_too_long_for_the_model_is_shortened(add, bucket, embedder):
    embedder.longest = 500
    document = add("long.txt", "Refunds take time. " * 60)
    assert document.newest.state == State.SEARCHABLE
    assert Vector.objects.count() == document.live.chunk_count


def test_a_worker_that_lost_the_version_keeps_no_vector(cast, bucket, embedder, monkeypatch):
    services.add_document(actor=cast.alice, bucket=bucket, file=ContentFile(REFUNDS.encode()), name="a.txt")
    version = worker.claim()
    real = integrations.embed

    def stolen(*args, **more):
        Version.objects.update(fence=99)
        return real(*args, **more)

    monkeypatch.setattr("buckets.worker.embedding.integrations.embed", stolen)
    worker.advance(version)
    assert not Vector.objects.exists()
    assert Version.objects.get().state == State.CHUNKED


def test_without_a_model_nothing_is_asked(add, cast, in_marketing, embedder):
    plain = services.create_bucket(actor=cast.alice, department_id=cast.marketing.pk, name="Plain")
    document = add("refunds.txt", REFUNDS, to=plain)
    assert document.newest.state == State.SEARCHABLE
    assert embedder.asked == []
    assert search([plain], "reimbursement") == []


def test_only_embedding_models_that_are_switched_on_can_be_chosen(cast, in_marketing, model):
    chat = integrations.add_model(actor=cast.ada, provider=model.provider, model_id="chat")
    integrations.update_model(actor=cast.ada, model=model, is_enabled=False)
    for wrong in (chat, model):
        with pytest.raises(Invalid) as refused:
            services.create_bucket(
                actor=cast.alice, department_id=cast.marketing.pk, name="Wrong", embedding_model=wrong
            )
        assert list(refused.value.fields) == ["embedding_model"]


def test_agents_are_not_given_embedding_models(cast, model):
    from agents.specs import find_model

    assert model.purpose == Purpose.EMBEDDING
    with pytest.raises(Invalid, match=r"finding passages"):
        find_model(str(model.uuid))


def test_vectors_are_behind_the_wall(add, cast, bucket):
    add("refunds.txt", REFUNDS)
    with wall.tenant([cast.finance.pk]):
        assert not Vector.objects.exists()
    services.remove_document(actor=cast.alice, document=Document.objects.get())
    assert not Vector.objects.exists()
