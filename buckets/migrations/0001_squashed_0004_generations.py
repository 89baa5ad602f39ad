import buckets.models.documents
import buckets.models.passages
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import django.db.models.functions.text
import uuid
from django.conf import settings
from django.db import migrations, models

from mindloom.wall.policies import department_key, same_department, shared_rows, wall_table

_SHARED = "SELECT id FROM buckets_bucket WHERE visibility = 'everyone' AND archived_at IS NULL"
_SHARED_CONTENT = (
    "SELECT v.content_id FROM buckets_version v JOIN buckets_document d ON d.id = v.document_id"
    f" WHERE d.bucket_id IN ({_SHARED})"
)
SIZES = (256, 384, 512, 768, 1_024, 1_536, 2_048, 3_072, 4_000)


def _nearest(size):
    """The index of the vectors of one length."""
    return migrations.RunSQL(
        f"CREATE INDEX vector_nearest_{size} ON buckets_vector USING hnsw ((embedding::halfvec({size})) halfvec_cosine_ops)"
        f" WHERE size = {size};",
        f"DROP INDEX vector_nearest_{size};",
    )


def _gone_with(column, target):
    """A vector goes with its passage or bucket, of the same department, without Django counting a million rows."""
    name = f"buckets_vector_{column}_same_department"
    return migrations.RunSQL(
        f"ALTER TABLE buckets_vector ADD CONSTRAINT {name} FOREIGN KEY ({column}, department_id)"
        f" REFERENCES {target} (id, department_id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;",
        f"ALTER TABLE buckets_vector DROP CONSTRAINT {name};",
    )


class Migration(migrations.Migration):

    replaces = [
        ('buckets', '0001_initial'),
        ('buckets', '0002_tags_and_dates'),
        ('buckets', '0003_web_sources'),
        ('buckets', '0004_generations'),
    ]

    initial = True

    dependencies = [
        ('accounts', '0005_runs_at_once'),
        ('integrations', '0004_model_purpose'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Content',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('department', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.department')),
                ('sha256', models.CharField(max_length=64)),
                ('size_bytes', models.PositiveBigIntegerField()),
                ('path', models.CharField(max_length=200)),
                ('stored_at', models.DateTimeField(null=True)),
                ('kind', models.CharField(blank=True, help_text='What the content was found to be', max_length=16)),
                ('page_count', models.PositiveIntegerField(default=0)),
                ('character_count', models.PositiveBigIntegerField(default=0)),
                ('extracted_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('department', 'sha256'), name='content_once_per_department')],
            },
        ),
        migrations.CreateModel(
            name='Page',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('content', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='pages', to='buckets.content')),
                ('department', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.department')),
                ('number', models.PositiveIntegerField(help_text='Counts from 1')),
                ('label', models.CharField(blank=True, help_text='Such as “page 3” or “rows 21–40”', max_length=120)),
                ('heading', models.CharField(blank=True, max_length=300)),
                ('text', models.TextField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('content', 'number'), name='page_numbered_once')],
            },
        ),
        migrations.CreateModel(
            name='Bucket',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('department', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='buckets', to='accounts.department')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='buckets', to=settings.AUTH_USER_MODEL)),
                ('name', models.CharField(max_length=80)),
                ('description', models.CharField(blank=True, max_length=300)),
                ('visibility', models.CharField(choices=[('private', 'Only me and managers'), ('department', 'Everyone in the department'), ('everyone', 'Everyone in every department')], default='department', max_length=16)),
                ('language', models.CharField(choices=[('simple', 'Any (words as they are)'), ('arabic', 'Arabic'), ('danish', 'Danish'), ('dutch', 'Dutch'), ('english', 'English'), ('finnish', 'Finnish'), ('french', 'French'), ('german', 'German'), ('greek', 'Greek'), ('hungarian', 'Hungarian'), ('italian', 'Italian'), ('norwegian', 'Norwegian'), ('portuguese', 'Portuguese'), ('romanian', 'Romanian'), ('russian', 'Russian'), ('spanish', 'Spanish'), ('swedish', 'Swedish'), ('turkish', 'Turkish')], default='english', max_length=16)),
                ('passage_length', models.CharField(choices=[('short', 'Short'), ('medium', 'Medium'), ('long', 'Long')], default='medium', max_length=8)),
                ('embedding_model', models.ForeignKey(blank=True, help_text='Finds passages by meaning, too', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='integrations.model')),
                ('archived_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(models.F('department'), django.db.models.functions.text.Lower('name'), condition=models.Q(('archived_at', None)), name='bucket_name_once_per_department', violation_error_message='There is already a bucket of this name in the department. Choose another name.')],
            },
        ),
        migrations.CreateModel(
            name='WebSource',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('bucket', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='sources', to='buckets.bucket')),
                ('department', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.department')),
                ('url', models.CharField(max_length=2000)),
                ('tags', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), blank=True, default=list, size=None)),
                ('kind', models.CharField(blank=True, choices=[('page', 'Page'), ('feed', 'Feed')], max_length=8)),
                ('is_wanted', models.BooleanField(default=True)),
                ('reason', models.CharField(blank=True, help_text='Why it could not be fetched, and what to do', max_length=600)),
                ('note', models.CharField(blank=True, help_text='What came of it the last time', max_length=300)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('fence', models.PositiveIntegerField(default=0)),
                ('lease_until', models.DateTimeField(null=True)),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('fetched_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('is_wanted', True)), fields=['id'], name='source_wanted')],
                'constraints': [models.UniqueConstraint(fields=('bucket', 'url'), name='source_once_per_bucket')],
            },
        ),
        migrations.CreateModel(
            name='Generation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('bucket', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='generations', to='buckets.bucket')),
                ('department', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.department')),
                ('number', models.PositiveIntegerField(help_text='Counts from 1')),
                ('language', models.CharField(choices=[('simple', 'Any (words as they are)'), ('arabic', 'Arabic'), ('danish', 'Danish'), ('dutch', 'Dutch'), ('english', 'English'), ('finnish', 'Finnish'), ('french', 'French'), ('german', 'German'), ('greek', 'Greek'), ('hungarian', 'Hungarian'), ('italian', 'Italian'), ('norwegian', 'Norwegian'), ('portuguese', 'Portuguese'), ('romanian', 'Romanian'), ('russian', 'Russian'), ('spanish', 'Spanish'), ('swedish', 'Swedish'), ('turkish', 'Turkish')], max_length=16)),
                ('passage_length', models.CharField(choices=[('short', 'Short'), ('medium', 'Medium'), ('long', 'Long')], max_length=8)),
                ('embedding_model', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='integrations.model')),
                ('state', models.CharField(choices=[('building', 'Being built'), ('held', 'Waits for a decision'), ('live', 'In use'), ('former', 'The one before')], default='building', max_length=16)),
                ('is_forced', models.BooleanField(default=False)),
                ('report', models.JSONField(default=dict)),
                ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('live_at', models.DateTimeField(null=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('bucket', 'number'), name='generation_numbered_once'), models.UniqueConstraint(condition=models.Q(('state__in', ('building', 'held'))), fields=('bucket',), name='generation_one_next'), models.UniqueConstraint(condition=models.Q(('state', 'live')), fields=('bucket',), name='generation_one_live'), models.UniqueConstraint(condition=models.Q(('state', 'former')), fields=('bucket',), name='generation_one_former')],
            },
        ),
        migrations.CreateModel(
            name='Document',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('bucket', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='documents', to='buckets.bucket')),
                ('department', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.department')),
                ('name', models.CharField(max_length=200)),
                ('tags', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), blank=True, default=list, size=None)),
                ('dated_on', models.DateField(default=buckets.models.documents.today)),
                ('source', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='documents', to='buckets.websource')),
                ('url', models.CharField(blank=True, help_text='Where on the web it is from', max_length=2000)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('bucket', 'name'), name='document_name_once_per_bucket')],
            },
        ),
        migrations.CreateModel(
            name='Version',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('document', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='buckets.document')),
                ('department', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.department')),
                ('content', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='buckets.content')),
                ('generation', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='versions', to='buckets.generation')),
                ('number', models.PositiveIntegerField(help_text='Counts from 1')),
                ('language', models.CharField(choices=[('simple', 'Any (words as they are)'), ('arabic', 'Arabic'), ('danish', 'Danish'), ('dutch', 'Dutch'), ('english', 'English'), ('finnish', 'Finnish'), ('french', 'French'), ('german', 'German'), ('greek', 'Greek'), ('hungarian', 'Hungarian'), ('italian', 'Italian'), ('norwegian', 'Norwegian'), ('portuguese', 'Portuguese'), ('romanian', 'Romanian'), ('russian', 'Russian'), ('spanish', 'Spanish'), ('swedish', 'Swedish'), ('turkish', 'Turkish')], max_length=16)),
                ('passage_length', models.CharField(choices=[('short', 'Short'), ('medium', 'Medium'), ('long', 'Long')], max_length=8)),
                ('state', models.CharField(choices=[('received', 'Waiting'), ('extracted', 'Text read'), ('chunked', 'Cut into passages'), ('embedded', 'Meaning known'), ('searchable', 'Searchable'), ('failed', 'Failed'), ('replaced', 'Replaced')], default='received', max_length=16)),
                ('reason', models.CharField(blank=True, help_text='Why it failed, and what to do', max_length=600)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('fence', models.PositiveIntegerField(default=0)),
                ('lease_until', models.DateTimeField(null=True)),
                ('waits_until', models.DateTimeField(null=True)),
                ('is_found', models.BooleanField(default=False, help_text='Whether its passages are found in its generation')),
                ('chunk_count', models.PositiveIntegerField(default=0)),
                ('added_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('finished_at', models.DateTimeField(null=True)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state__in', ('received', 'extracted', 'chunked', 'embedded'))), fields=['id'], name='version_under_way')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_found', True)), fields=('document', 'generation'), name='version_one_found')],
            },
        ),
        migrations.CreateModel(
            name='Question',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('bucket', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='questions', to='buckets.bucket')),
                ('department', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.department')),
                ('document', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='buckets.document')),
                ('text', models.CharField(max_length=1000)),
                ('added_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('bucket', 'text', 'document'), name='question_once_per_document')],
            },
        ),
        migrations.CreateModel(
            name='Chunk',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('document', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='buckets.document')),
                ('version', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='chunks', to='buckets.version')),
                ('bucket', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='buckets.bucket')),
                ('department', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.department')),
                ('generation', models.BigIntegerField(default=0, help_text='Of the bucket; a word of its own, by which it is found')),
                ('number', models.PositiveIntegerField(help_text='Counts from 1')),
                ('page', models.PositiveIntegerField(help_text='The page on which it begins')),
                ('label', models.CharField(blank=True, max_length=120)),
                ('heading', models.CharField(blank=True, help_text="The document's name and the headings above it", max_length=600)),
                ('text', models.TextField()),
                ('language', buckets.models.passages.ConfigurationField()),
                ('search', models.GeneratedField(db_persist=True, expression=buckets.models.passages.Words('language', 'heading', 'text', 'generation'), output_field=django.contrib.postgres.search.SearchVectorField())),
            ],
            options={
                'indexes': [django.contrib.postgres.indexes.GinIndex(fields=['search'], name='chunk_search')],
                'constraints': [models.UniqueConstraint(fields=('version', 'number'), name='chunk_numbered_once')],
            },
        ),
        migrations.CreateModel(
            name='Vector',
            fields=[
                ('chunk', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, primary_key=True, related_name='+', serialize=False, to='buckets.chunk')),
                ('department', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.department')),
                ('bucket', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='buckets.bucket')),
                ('generation', models.BigIntegerField()),
                ('model', models.BigIntegerField(help_text='The id of the embedding model, which may be gone')),
                ('size', models.PositiveSmallIntegerField(help_text='One of `SIZES`')),
                ('digest', models.BinaryField(help_text='SHA-256 of what was embedded', max_length=32)),
                ('embedding', buckets.models.passages.HalfVectorField()),
            ],
            options={
                'indexes': [models.Index(fields=['department', 'model', 'digest'], name='vector_by_text'), models.Index(fields=['generation'], name='vector_generation')],
            },
        ),
        migrations.AddField(
            model_name='bucket',
            name='generation',
            field=models.ForeignKey(help_text='What is searched', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='buckets.generation'),
        ),
        migrations.AddField(
            model_name='document',
            name='newest',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='buckets.version'),
        ),
        migrations.AddField(
            model_name='document',
            name='live',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='buckets.version'),
        ),
        *(wall_table(f"buckets_{one}") for one in ("bucket", "content", "page", "document", "version", "chunk")),
        *(department_key(f"buckets_{one}") for one in ("bucket", "content", "document", "version")),
        same_department("buckets_page", "content_id", "buckets_content"),
        same_department("buckets_document", "bucket_id", "buckets_bucket"),
        same_department("buckets_document", "newest_id", "buckets_version"),
        same_department("buckets_document", "live_id", "buckets_version"),
        same_department("buckets_version", "document_id", "buckets_document"),
        same_department("buckets_version", "content_id", "buckets_content"),
        same_department("buckets_chunk", "version_id", "buckets_version"),
        same_department("buckets_chunk", "document_id", "buckets_document"),
        same_department("buckets_chunk", "bucket_id", "buckets_bucket"),
        shared_rows("buckets_bucket", "visibility = 'everyone' AND archived_at IS NULL"),
        shared_rows("buckets_document", f"bucket_id IN ({_SHARED})"),
        shared_rows("buckets_version", f"document_id IN (SELECT id FROM buckets_document WHERE bucket_id IN ({_SHARED}))"),
        shared_rows("buckets_content", f"id IN ({_SHARED_CONTENT})"),
        shared_rows("buckets_page", f"content_id IN ({_SHARED_CONTENT})"),
        shared_rows("buckets_chunk", f"bucket_id IN ({_SHARED})"),
        wall_table("buckets_websource"),
        department_key("buckets_websource"),
        same_department("buckets_websource", "bucket_id", "buckets_bucket"),
        same_department("buckets_document", "source_id", "buckets_websource"),
        *(wall_table(f"buckets_{one}") for one in ("generation", "question", "vector")),
        department_key("buckets_generation"),
        department_key("buckets_chunk"),
        same_department("buckets_generation", "bucket_id", "buckets_bucket"),
        same_department("buckets_bucket", "generation_id", "buckets_generation"),
        same_department("buckets_version", "generation_id", "buckets_generation"),
        same_department("buckets_question", "bucket_id", "buckets_bucket"),
        same_department("buckets_question", "document_id", "buckets_document"),
        _gone_with("chunk_id", "buckets_chunk"),
        _gone_with("bucket_id", "buckets_bucket"),
        *(
            shared_rows(f"buckets_{one}", f"bucket_id IN ({_SHARED})")
            for one in ("generation", "question", "vector")
        ),
        *(_nearest(size) for size in SIZES),
    ]
