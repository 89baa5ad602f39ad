"""What the API takes and gives of buckets."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from buckets.models import (
    Bucket,
    Document,
    Generation,
    Language,
    Page,
    PassageLength,
    Question,
    State,
    Version,
    WebSource,
)
from buckets.queries import Hit, Only
from integrations.models import Model, Purpose
from mindloom.web.api import StrictSerializer

ASK = "Say what to look for."


class Tags(serializers.ListField):
    """Tags of a document."""

    child = serializers.CharField()


class BucketFields(StrictSerializer):
    """What can be set of a bucket; the services say what is wrong with it."""

    description = serializers.CharField(required=False, allow_blank=True)
    visibility = serializers.ChoiceField(Bucket.Visibility.choices, required=False)
    language = serializers.ChoiceField(
        Language.choices, required=False, help_text="Of most of the documents; words are brought to its stems."
    )
    passage_length = serializers.ChoiceField(
        PassageLength.choices,
        required=False,
        help_text="When it changes, a new generation is built beside what is searched.",
    )
    embedding_model = serializers.SlugRelatedField(
        slug_field="uuid",
        queryset=Model.objects.filter(purpose=Purpose.EMBEDDING),
        required=False,
        allow_null=True,
        help_text="Finds passages by meaning; null for by words only. Builds a new generation, too.",
    )


class NewBucket(BucketFields):
    """What makes a bucket."""

    name = serializers.CharField()
    department = serializers.UUIDField(required=False, help_text="The first one where you are a member, when left out.")


class BucketChanges(BucketFields):
    """Changes of a bucket."""

    name = serializers.CharField(required=False)


class BucketConfirmation(StrictSerializer):
    """The bucket's name, so that nobody deletes another one."""

    confirm = serializers.CharField()


class BucketOwner(StrictSerializer):
    """Who is to own it: a member or manager of the department."""

    owner = serializers.EmailField(help_text="The person’s e-mail address.")


class PastedText(StrictSerializer):
    """A text that becomes a file."""

    name = serializers.CharField(max_length=150)
    text = serializers.CharField(trim_whitespace=False)
    tags = Tags(required=False)


class ReplacedFile(serializers.Serializer[Any]):
    """A file, as multipart/form-data."""

    file = serializers.FileField(allow_empty_file=True)


class UploadedFile(ReplacedFile):
    """A file with its tags, as multipart/form-data."""

    tags = Tags(default=list, help_text="Several fields of this name, or one with commas.")


class DocumentChanges(StrictSerializer):
    """What can be said of a document."""

    name = serializers.CharField(max_length=200, required=False)
    tags = Tags(required=False, help_text="All that it has from now on.")
    dated_on = serializers.DateField(required=False, help_text="The day that it is of.")


class NewSource(StrictSerializer):
    """An address of the web."""

    url = serializers.CharField(max_length=2_000, help_text="Of a page or file, or of an RSS or Atom feed.")
    tags = Tags(required=False, help_text="For all documents that are found there.")


class SourceOut(serializers.ModelSerializer[WebSource]):
    """An address of the web, and what came of it the last time."""

    kind = serializers.ChoiceField(WebSource.Kind.choices, allow_blank=True, help_text="Empty while it is not known.")
    is_wanted = serializers.BooleanField(help_text="Whether it is still to be fetched.")
    documents = serializers.IntegerField(source="n")
    asked_by = serializers.CharField(source="asked_by.name")

    class Meta:
        model = WebSource
        fields = [
            *("uuid", "url", "tags", "kind", "is_wanted", "reason", "note", "documents", "asked_by", "fetched_at"),
            "created_at",
        ]


class SearchAsked(serializers.Serializer[Any]):
    """A question, and the documents it is narrowed to."""

    q = serializers.CharField(
        help_text="The question, in words of the documents.", error_messages={"required": ASK, "blank": ASK}
    )
    limit = serializers.IntegerField(min_value=1, max_value=50, default=10)
    document = serializers.ListField(
        child=serializers.UUIDField(), required=False, help_text="Only in these; may be repeated."
    )
    tag = Tags(required=False, help_text="Only in documents with one of these; may be repeated.")
    name = serializers.CharField(required=False, help_text="Only in documents with this in their name.")
    since = serializers.DateField(required=False, help_text="Only in documents dated on this day or later.")
    until = serializers.DateField(required=False, help_text="Only in documents dated on this day or earlier.")

    def only(self) -> Only:
        """The documents that are meant."""
        given = self.validated_data
        return Only(
            documents=tuple(given.get("document", ())),
            tags=tuple(tag.lower() for tag in given.get("tag", ())),
            name=given.get("name", ""),
            since=given.get("since"),
            until=given.get("until"),
        )


class BucketOut(serializers.ModelSerializer[Bucket]):
    """A bucket."""

    department = serializers.UUIDField(source="department.uuid")
    owner = serializers.CharField(source="owner.name")
    embedding_model = serializers.UUIDField(source="embedding_model.uuid", default=None, allow_null=True)
    documents = serializers.IntegerField(source="document_count")
    passages = serializers.IntegerField(source="passage_count")
    under_way = serializers.IntegerField(help_text="Files that are being worked on.")
    failed = serializers.IntegerField(help_text="Files whose newest version failed.")

    class Meta:
        model = Bucket
        fields = [
            *("uuid", "name", "description", "department", "owner", "visibility", "language", "passage_length"),
            *(
                "embedding_model",
                "documents",
                "passages",
                "under_way",
                "failed",
                "archived_at",
                "created_at",
                "updated_at",
            ),
        ]


class FileVersionOut(serializers.ModelSerializer[Version]):
    """A content that was given under a document's name."""

    state = serializers.ChoiceField(State.choices)
    kind = serializers.CharField(source="content.kind", help_text="By its content; empty while it is not known.")
    size_bytes = serializers.IntegerField(source="content.size_bytes")
    sha256 = serializers.CharField(source="content.sha256")
    pages = serializers.IntegerField(source="content.page_count")
    passages = serializers.IntegerField(source="chunk_count")
    added_by = serializers.CharField(source="added_by.name")

    class Meta:
        model = Version
        fields = [
            *("number", "state", "reason", "kind", "size_bytes", "sha256", "pages", "passages", "added_by"),
            *("created_at", "finished_at"),
        ]


class DocumentOut(serializers.ModelSerializer[Document]):
    """A file of a bucket. `newest` is what was given last, `live` the number of the version that is searched."""

    newest = FileVersionOut()
    live = serializers.IntegerField(source="live.number", default=None, allow_null=True)

    class Meta:
        model = Document
        fields = ["uuid", "name", "tags", "dated_on", "url", "newest", "live", "created_at", "updated_at"]


class PageOut(serializers.ModelSerializer[Page]):
    """A part of a file's text."""

    class Meta:
        model = Page
        fields = ["number", "label", "heading", "text"]


class PlaceOut(serializers.Serializer[Any]):
    """How well one way of searching found a passage."""

    rank = serializers.IntegerField(help_text="Counts from 1.")
    score = serializers.FloatField(help_text="That way’s own; by meaning the cosine of the angle.")


class PassageOut(serializers.Serializer[Any]):
    """A passage of a document."""

    number = serializers.IntegerField(required=False, help_text="Counts from 1; of passages that are found.")
    page = serializers.IntegerField(help_text="The page on which it stands.")
    label = serializers.CharField()  # type: ignore[assignment] # a field, not an attribute
    heading = serializers.CharField()
    text = serializers.CharField()


class CutOut(serializers.Serializer[Any]):
    """What a length of passages would make of a document."""

    passage_length = serializers.ChoiceField(PassageLength.choices, source="length")
    count = serializers.IntegerField()
    usual = serializers.IntegerField(help_text="Characters that half of the passages have at most.")
    first = PassageOut(many=True)


class HitOut(serializers.Serializer[Hit]):
    """A passage that was found."""

    document = serializers.UUIDField()
    document_name = serializers.CharField()
    version = serializers.IntegerField()
    page = serializers.IntegerField()
    location = serializers.CharField()
    text = serializers.CharField()
    score = serializers.FloatField(help_text="1 when every way of searching has it first.")
    by_words = PlaceOut(allow_null=True)
    by_meaning = PlaceOut(allow_null=True)
    words = serializers.ListField(
        child=serializers.CharField(), help_text="The words of the query that it has, as stems."
    )
    marked = serializers.SerializerMethodField(help_text="The text in pieces, with those that were found marked.")

    @extend_schema_field(serializers.ListField(child=serializers.DictField()))
    def get_marked(self, hit: Hit) -> list[dict[str, Any]]:
        """Pieces of the text."""
        return [{"text": piece.text, "is_hit": piece.is_hit} for piece in hit.pieces]


class HitsOut(serializers.Serializer[Any]):
    """The passages that were found, best first."""

    query = serializers.CharField()
    notes = serializers.ListField(child=serializers.CharField(), help_text="What could not be searched, and why.")
    results = HitOut(many=True)


class NewQuestion(StrictSerializer):
    """A question with the document that answers it."""

    text = serializers.CharField(max_length=1_000)
    document = serializers.UUIDField()


class QuestionOut(serializers.ModelSerializer[Question]):
    """A question that a bucket must answer."""

    document = serializers.UUIDField(source="document.uuid")
    document_name = serializers.CharField(source="document.name")
    added_by = serializers.CharField(source="added_by.name")

    class Meta:
        model = Question
        fields = ["uuid", "text", "document", "document_name", "added_by", "created_at"]


class GenerationOut(serializers.ModelSerializer[Generation]):
    """All passages of a bucket as one set of settings makes them."""

    embedding_model = serializers.UUIDField(source="embedding_model.uuid", default=None, allow_null=True)
    report = serializers.DictField(
        help_text="What the questions find: asked, before, after, worse, better; and failed files. Empty until it is complete."
    )

    class Meta:
        model = Generation
        fields = ["number", "state", "language", "passage_length", "embedding_model", "report", "created_at", "live_at"]


class GenerationsOut(serializers.Serializer[Any]):
    """What is searched, what is built beside it, and what was searched before."""

    live = GenerationOut(allow_null=True)
    next = GenerationOut(allow_null=True)
    former = GenerationOut(allow_null=True)
    files_done = serializers.IntegerField(help_text="Of the next one.")
    files = serializers.IntegerField(help_text="Of the next one.")


class GenerationDecision(StrictSerializer):
    """What to do."""

    action = serializers.ChoiceField(
        ["adopt", "discard", "revert"],
        help_text="Use the next one although it finds less; throw it away; or go back to the former one.",
    )


class DocumentPages(serializers.Serializer[Any]):
    """Pages of a document's text."""

    version = serializers.IntegerField()
    count = serializers.IntegerField()
    results = PageOut(many=True)
