import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.comparison
import uuid
from django.conf import settings
from django.db import migrations, models

from mindloom.wall.policies import (
    department_key,
    own_row,
    refuse_changes,
    refuse_removal,
    same_department,
    seen_target,
    wall_kept,
    wall_table,
)

# Words are taken from the beginning of long texts, so that a vector never outgrows the one megabyte that PostgreSQL allows.
WORDS = """
CREATE FUNCTION runs_words(input text, variables jsonb, output text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT to_tsvector('pg_catalog.simple', left(coalesce(input, ''), 50000))
        || to_tsvector('pg_catalog.simple', left(coalesce(jsonb_path_query_array(variables, '$.*')::text, ''), 50000))
        || to_tsvector('pg_catalog.simple', left(coalesce(output, ''), 50000))
$$;
"""


class Migration(migrations.Migration):

    replaces = [
        ('runs', '0001_initial'),
        ('runs', '0002_teams_conversations_questions'),
        ('runs', '0003_conversations_are_a_trigger'),
        ('runs', '0004_journal_entries'),
        ('runs', '0005_retention'),
        ('runs', '0006_ledger'),
        ('runs', '0007_queue'),
        ('runs', '0008_search'),
        ('runs', '0009_lists_by_time'),
    ]

    initial = True

    dependencies = [
        ('accounts', '0005_runs_at_once'),
        ('agents', '0002_shared_with_everyone'),
        ('integrations', '0004_model_purpose'),
        ('teams', '0002_shared_with_everyone'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(WORDS, "DROP FUNCTION runs_words(text, jsonb, text)"),
        migrations.CreateModel(
            name='Conversation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('department', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.department')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='conversations', to=settings.AUTH_USER_MODEL)),
                ('agent', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='conversations', to='agents.agent')),
                ('team', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='conversations', to='teams.team')),
                ('title', models.CharField(blank=True, max_length=120)),
                ('summary', models.TextField(blank=True, help_text='Of the runs up to and with `summary_run_id`')),
                ('summary_run_id', models.BigIntegerField(default=0)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True, help_text='When somebody last said something')),
            ],
            options={
                'indexes': [models.Index(fields=['owner', '-updated_at'], name='conversation_by_person')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('agent__isnull', False), ('team', None)), models.Q(('agent', None), ('team__isnull', False)), _connector='OR'), name='conversation_has_one_target')],
            },
        ),
        migrations.CreateModel(
            name='Run',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('department', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='accounts.department')),
                ('agent', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='agents.agent')),
                ('agent_version', models.ForeignKey(help_text='Empty for a test of a draft', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='agents.agentversion')),
                ('team', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='teams.team')),
                ('team_version', models.ForeignKey(help_text='Empty for a test of a draft', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='teams.teamversion')),
                ('conversation', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='runs', to='runs.conversation')),
                ('replaced', models.BooleanField(default=False, help_text='In a conversation: an edited question took its place')),
                ('spec', models.JSONField(help_text='Snapshot of all that decides the run: engine.spec.AgentSpec or TeamSpec')),
                ('input', models.TextField(blank=True)),
                ('variables', models.JSONField(default=dict)),
                ('trigger', models.CharField(choices=[('person', 'a person'), ('test', 'a test of a draft'), ('api', 'the API'), ('conversation', 'a conversation'), ('schedule', 'a schedule'), ('seed', 'the demonstration')], max_length=16)),
                ('started_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='runs', to=settings.AUTH_USER_MODEL)),
                ('retry_of', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='retries', to='runs.run')),
                ('state', models.CharField(choices=[('queued', 'Queued'), ('running', 'Running'), ('waiting', 'Waiting'), ('completed', 'Completed'), ('failed', 'Failed'), ('cancelled', 'Cancelled')], default='queued', max_length=16)),
                ('reason', models.CharField(blank=True, choices=[('', ''), ('waiting_for_worker', 'Waiting for a worker'), ('agent_error', 'The agent failed'), ('system_error', 'Mindloom failed'), ('timeout', 'Too slow'), ('lost', 'The worker vanished'), ('budget', 'A limit was reached'), ('rejected', 'Refused'), ('stopped', 'Stopped'), ('waiting_for_person', 'Waiting for a person')], max_length=32)),
                ('reason_message', models.TextField(blank=True)),
                ('output', models.TextField(blank=True)),
                ('structured', models.JSONField(null=True)),
                ('tokens_in', models.BigIntegerField(default=0)),
                ('tokens_out', models.BigIntegerField(default=0)),
                ('tokens_cached', models.BigIntegerField(default=0, help_text='Part of tokens_in')),
                ('cost', models.DecimalField(decimal_places=12, default=0, help_text="Of the calls whose cost is known; the ledger's sum", max_digits=24)),
                ('unpriced_calls', models.PositiveIntegerField(default=0, help_text='Calls of models whose cost is not known')),
                ('model_calls', models.PositiveIntegerField(default=0)),
                ('tool_calls', models.PositiveIntegerField(default=0)),
                ('tool_failures', models.PositiveIntegerField(default=0)),
                ('first_token_ms', models.PositiveIntegerField(null=True)),
                ('priority', models.SmallIntegerField(choices=[(0, 'in the background'), (10, 'somebody waits')], default=10)),
                ('not_before', models.DateTimeField(help_text='It is not started earlier', null=True)),
                ('provider_key', models.BigIntegerField(default=0, help_text="Whose limits of requests hold it back: `ModelSpec.provider_key`; 0 for nobody's")),
                ('target_key', models.GeneratedField(db_persist=True, expression=django.db.models.functions.comparison.Coalesce('agent_id', django.db.models.expressions.CombinedExpression(models.F('team_id'), '*', models.Value(-1))), output_field=models.BigIntegerField())),
                ('due_at', models.GeneratedField(db_persist=True, expression=django.db.models.functions.comparison.Coalesce('not_before', 'queued_at'), output_field=models.DateTimeField())),
                ('search', models.GeneratedField(db_persist=True, expression=models.Func('input', 'variables', 'output', function='runs_words'), output_field=django.contrib.postgres.search.SearchVectorField())),
                ('queued_at', models.DateTimeField(auto_now_add=True)),
                ('sent_at', models.DateTimeField(auto_now_add=True, help_text='When a message for the workers was last sent')),
                ('started_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('claimed_by', models.CharField(blank=True, max_length=120)),
                ('fence', models.PositiveIntegerField(default=0, help_text='Counts the claims; a worker writes only with its own number')),
                ('restarts', models.PositiveSmallIntegerField(default=0, help_text='How often it lost its worker and was started again')),
                ('heartbeat_at', models.DateTimeField(null=True)),
                ('deadline_at', models.DateTimeField(null=True)),
                ('cancel_requested_at', models.DateTimeField(null=True)),
                ('cancel_message', models.CharField(blank=True, max_length=300)),
                ('last_seq', models.PositiveBigIntegerField(default=0)),
                ('pinned_at', models.DateTimeField(help_text="Pinned runs are kept, whatever the department's retention says", null=True)),
                ('pinned_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('events_pruned_at', models.DateTimeField(help_text='When the pieces of finished texts were removed', null=True)),
                ('events_pruned', models.PositiveBigIntegerField(default=0, help_text='How many of them')),
                ('files_pruned_at', models.DateTimeField(help_text="When the department's retention removed the files", null=True)),
            ],
            options={
                'indexes': [models.Index(fields=['department', '-queued_at', '-id'], name='run_newest'), models.Index(fields=['agent', '-queued_at', '-id'], name='run_newest_of_agent'), models.Index(fields=['team', '-queued_at', '-id'], name='run_newest_of_team'), models.Index(fields=['conversation', '-id'], name='run_by_conversation'), models.Index(fields=['department', 'state', '-queued_at', '-id'], name='run_newest_of_state'), models.Index(fields=['started_by', '-queued_at', '-id'], name='run_newest_of_person'), models.Index(condition=models.Q(('finished_at__isnull', False)), fields=['department', 'finished_at'], name='run_by_end'), models.Index(models.F('state'), models.F('heartbeat_at'), condition=models.Q(('state__in', ('queued', 'running', 'waiting'))), name='run_live'), models.Index(condition=models.Q(('state', 'queued')), fields=['priority', 'department', 'target_key', 'started_by', 'provider_key', 'due_at', 'id'], name='run_queue'), django.contrib.postgres.indexes.GinIndex(fields=['search'], name='run_search')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('agent__isnull', False), ('team', None), ('team_version', None)), models.Q(('agent', None), ('agent_version', None), ('team__isnull', False)), _connector='OR'), name='run_has_one_target'), models.UniqueConstraint(condition=models.Q(('state__in', ('queued', 'running', 'waiting'))), fields=('conversation',), name='run_one_live_per_conversation'), models.CheckConstraint(condition=models.Q(('state__in', ['queued', 'running', 'waiting', 'completed', 'failed', 'cancelled'])), name='run_state_known'), models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', False), ('state__in', ('completed', 'failed', 'cancelled'))), models.Q(('finished_at', None), ('state__in', ('queued', 'running', 'waiting'))), _connector='OR'), name='run_finished_when_terminal')],
            },
        ),
        migrations.CreateModel(
            name='Approval',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='approvals', to='runs.run')),
                ('department', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.department')),
                ('key', models.CharField(help_text='Names the call inside the run', max_length=100)),
                ('kind', models.CharField(choices=[('approval', 'Approve or decline'), ('answer', 'Answer'), ('check', 'Say what happened')], max_length=16)),
                ('source', models.JSONField(default=list)),
                ('tool', models.CharField(max_length=100)),
                ('effect', models.CharField(max_length=16)),
                ('arguments', models.JSONField()),
                ('message', models.TextField()),
                ('state', models.CharField(choices=[('open', 'Open'), ('approved', 'Approved'), ('declined', 'Declined'), ('answered', 'Answered'), ('happened', 'It happened'), ('did_not_happen', 'It did not happen'), ('void', 'No longer needed')], default='open', max_length=16)),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('decided_at', models.DateTimeField(null=True)),
                ('note', models.TextField(blank=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'indexes': [models.Index(fields=['department', 'state', '-id'], name='approval_by_state')],
                'constraints': [models.UniqueConstraint(fields=('run', 'key'), name='approval_once_per_call')],
            },
        ),
        migrations.CreateModel(
            name='RunEvent',
            fields=[
                ('pk', models.CompositePrimaryKey('run_id', 'seq', blank=True, editable=False, primary_key=True, serialize=False)),
                ('run', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='events', to='runs.run')),
                ('seq', models.PositiveBigIntegerField()),
                ('department', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.department')),
                ('at', models.DateTimeField()),
                ('type', models.CharField(max_length=40)),
                ('source', models.JSONField(default=list)),
                ('data', models.JSONField(default=dict)),
            ],
        ),
        migrations.CreateModel(
            name='RunArtifact',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='artifacts', to='runs.run')),
                ('department', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.department')),
                ('name', models.CharField(max_length=200)),
                ('version', models.PositiveIntegerField(default=1)),
                ('media_type', models.CharField(help_text='Decided by the content where the content tells', max_length=100)),
                ('size_bytes', models.PositiveBigIntegerField()),
                ('sha256', models.CharField(max_length=64)),
                ('file', models.FileField(max_length=300, upload_to='')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'indexes': [models.Index(fields=['run', 'id'], name='artifact_by_run')],
                'constraints': [models.UniqueConstraint(fields=('run', 'name', 'version'), name='artifact_once_per_version')],
            },
        ),
        migrations.CreateModel(
            name='JournalEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='journal', to='runs.run')),
                ('department', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.department')),
                ('name', models.CharField(max_length=200)),
                ('value', models.JSONField(null=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('run', 'name'), name='journal_entry_once')],
            },
        ),
        migrations.CreateModel(
            name='PersonMemory',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('department', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.department')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memories', to=settings.AUTH_USER_MODEL)),
                ('agent', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='memories', to='agents.agent')),
                ('team', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='memories', to='teams.team')),
                ('facts', models.JSONField(default=list, help_text='Sentences')),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('agent__isnull', False), ('team', None)), models.Q(('agent', None), ('team__isnull', False)), _connector='OR'), name='memory_has_one_target'), models.UniqueConstraint(fields=('department', 'person', 'agent'), name='memory_once_of_an_agent'), models.UniqueConstraint(fields=('department', 'person', 'team'), name='memory_once_of_a_team')],
            },
        ),
        migrations.CreateModel(
            name='RetentionReport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('department', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.department')),
                ('night', models.DateField()),
                ('started_at', models.DateTimeField(auto_now_add=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('seconds', models.FloatField(default=0, help_text='Of work, pauses left out')),
                ('runs', models.PositiveBigIntegerField(default=0)),
                ('events', models.PositiveBigIntegerField(default=0)),
                ('files', models.PositiveBigIntegerField(default=0)),
                ('bytes_freed', models.PositiveBigIntegerField(default=0)),
                ('errors', models.PositiveIntegerField(default=0)),
                ('last_error', models.TextField(blank=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('department', 'night'), name='retention_once_a_night')],
            },
        ),
        migrations.CreateModel(
            name='StrayFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('department', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.department')),
                ('path', models.CharField(max_length=300)),
                ('size_bytes', models.PositiveBigIntegerField(default=0)),
                ('created_at', models.DateTimeField(auto_now_add=True, db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name='UsageRecord',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('department', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.department')),
                ('run', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='usage', to='runs.run')),
                ('run_uuid', models.UUIDField()),
                ('seq', models.PositiveBigIntegerField(help_text='Of the event')),
                ('at', models.DateTimeField()),
                ('person', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('target_kind', models.CharField(help_text='agent or team', max_length=8)),
                ('target_uuid', models.CharField(max_length=40)),
                ('target_name', models.CharField(max_length=200)),
                ('source', models.JSONField(default=list)),
                ('provider', models.CharField(max_length=80)),
                ('model', models.CharField(max_length=200)),
                ('purpose', models.CharField(blank=True, max_length=16)),
                ('tokens_in', models.BigIntegerField(null=True)),
                ('tokens_out', models.BigIntegerField(null=True)),
                ('tokens_cached', models.BigIntegerField(null=True)),
                ('tokens_reasoning', models.BigIntegerField(null=True)),
                ('duration_ms', models.BigIntegerField()),
                ('first_token_ms', models.BigIntegerField(null=True)),
                ('failed', models.BooleanField(default=False)),
                ('cost', models.DecimalField(decimal_places=12, max_digits=24, null=True)),
            ],
            options={
                'indexes': [models.Index(fields=['department', 'at'], name='usage_by_department'), models.Index(fields=['person', 'at'], name='usage_by_person')],
                'constraints': [models.UniqueConstraint(fields=('run_uuid', 'seq'), name='usage_once_per_event')],
            },
        ),
        wall_table("runs_run"),
        department_key("runs_run"),
        same_department("runs_run", "retry_of_id", "runs_run"),
        same_department("runs_runartifact", "run_id", "runs_run"),
        wall_table("runs_runevent"),
        wall_table("runs_runartifact"),
        refuse_changes("runs_runevent", "An event never changes."),
        refuse_changes(
            "runs_run",
            "A run that has ended stays as it ended.",
            when="OLD.state IN ('completed', 'failed', 'cancelled')"
            " AND (OLD.state, OLD.reason, OLD.reason_message, OLD.output, OLD.structured, OLD.last_seq, OLD.fence, OLD.finished_at, OLD.spec)"
            " IS DISTINCT FROM"
            " (NEW.state, NEW.reason, NEW.reason_message, NEW.output, NEW.structured, NEW.last_seq, NEW.fence, NEW.finished_at, NEW.spec)",
        ),
        own_row("runs_run", "agent_version_id", "agent_id", "agents_agentversion"),
        own_row("runs_run", "team_version_id", "team_id", "teams_teamversion"),
        seen_target("runs_run", {"agent_id": "agents_agent", "team_id": "teams_team"}),
        wall_table("runs_conversation"),
        department_key("runs_conversation"),
        same_department("runs_run", "conversation_id", "runs_conversation"),
        seen_target("runs_conversation", {"agent_id": "agents_agent", "team_id": "teams_team"}),
        wall_table("runs_approval"),
        same_department("runs_approval", "run_id", "runs_run"),
        wall_table("runs_personmemory"),
        seen_target("runs_personmemory", {"agent_id": "agents_agent", "team_id": "teams_team"}),
        wall_table("runs_journalentry"),
        same_department("runs_journalentry", "run_id", "runs_run"),
        wall_table("runs_retentionreport"),
        wall_table("runs_strayfile"),
        refuse_removal(
            "runs_runevent",
            "Of a log only the pieces of texts whose whole is there are removed, or all of it together with its run.",
            when="OLD.type NOT IN ('content.added', 'reasoning.added')"
            " AND coalesce(current_setting('mindloom.removing_runs', true), '') <> 'on'",
        ),
        wall_kept("runs_usagerecord"),
        same_department("runs_usagerecord", "run_id", "runs_run"),
        refuse_changes(
            "runs_usagerecord",
            "A row of the ledger never changes.",
            when="(to_jsonb(OLD) - 'run_id' - 'person_id') IS DISTINCT FROM (to_jsonb(NEW) - 'run_id' - 'person_id')"
            " OR (NEW.run_id IS NOT NULL AND NEW.run_id IS DISTINCT FROM OLD.run_id)"
            " OR (NEW.person_id IS NOT NULL AND NEW.person_id IS DISTINCT FROM OLD.person_id)",
        ),
    ]
