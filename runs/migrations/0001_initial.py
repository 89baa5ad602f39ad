import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models

from mindloom.wall.policies import department_key, refuse_changes, same_department, wall_table


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        ('agents', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Run',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('spec', models.JSONField(help_text='Snapshot of all that decides the run: engine.spec.AgentSpec')),
                ('input', models.TextField(blank=True)),
                ('variables', models.JSONField(default=dict)),
                ('trigger', models.CharField(choices=[('person', 'a person'), ('test', 'a test of a draft'), ('api', 'the API'), ('seed', 'the demonstration')], max_length=16)),
                ('state', models.CharField(choices=[('queued', 'Queued'), ('running', 'Running'), ('waiting', 'Waiting'), ('completed', 'Completed'), ('failed', 'Failed'), ('cancelled', 'Cancelled')], default='queued', max_length=16)),
                ('reason', models.CharField(blank=True, choices=[('', ''), ('waiting_for_worker', 'Waiting for a worker'), ('agent_error', 'The agent failed'), ('system_error', 'Mindloom failed'), ('timeout', 'Too slow'), ('lost', 'The worker vanished'), ('budget', 'A limit was reached'), ('rejected', 'Refused'), ('stopped', 'Stopped')], max_length=32)),
                ('reason_message', models.TextField(blank=True)),
                ('output', models.TextField(blank=True)),
                ('structured', models.JSONField(null=True)),
                ('tokens_in', models.BigIntegerField(default=0)),
                ('tokens_out', models.BigIntegerField(default=0)),
                ('model_calls', models.PositiveIntegerField(default=0)),
                ('tool_calls', models.PositiveIntegerField(default=0)),
                ('first_token_ms', models.PositiveIntegerField(null=True)),
                ('queued_at', models.DateTimeField(auto_now_add=True)),
                ('sent_at', models.DateTimeField(auto_now_add=True, help_text='When a message for the workers was last sent')),
                ('started_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('claimed_by', models.CharField(blank=True, max_length=120)),
                ('fence', models.PositiveIntegerField(default=0, help_text='Counts the claims; a worker writes only with its own number')),
                ('heartbeat_at', models.DateTimeField(null=True)),
                ('deadline_at', models.DateTimeField(null=True)),
                ('cancel_requested_at', models.DateTimeField(null=True)),
                ('cancel_message', models.CharField(blank=True, max_length=300)),
                ('last_seq', models.PositiveBigIntegerField(default=0)),
                ('agent', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='agents.agent')),
                ('agent_version', models.ForeignKey(help_text='Empty for a test of a draft', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='agents.agentversion')),
                ('department', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='accounts.department')),
                ('retry_of', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='retries', to='runs.run')),
                ('started_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='runs', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='RunArtifact',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('name', models.CharField(max_length=200)),
                ('media_type', models.CharField(max_length=100)),
                ('size_bytes', models.PositiveBigIntegerField()),
                ('sha256', models.CharField(max_length=64)),
                ('file', models.FileField(max_length=300, upload_to='')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('department', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.department')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='artifacts', to='runs.run')),
            ],
        ),
        migrations.CreateModel(
            name='RunEvent',
            fields=[
                ('pk', models.CompositePrimaryKey('run_id', 'seq', blank=True, editable=False, primary_key=True, serialize=False)),
                ('seq', models.PositiveBigIntegerField()),
                ('at', models.DateTimeField()),
                ('type', models.CharField(max_length=40)),
                ('source', models.JSONField(default=list)),
                ('data', models.JSONField(default=dict)),
                ('department', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.department')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='runs.run')),
            ],
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(fields=['department', '-id'], name='run_by_department'),
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(fields=['agent', '-id'], name='run_by_agent'),
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(fields=['department', 'state', '-id'], name='run_by_state'),
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(fields=['started_by', '-id'], name='run_by_person'),
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(models.F('state'), models.F('heartbeat_at'), condition=models.Q(('state__in', ('queued', 'running', 'waiting'))), name='run_live'),
        ),
        migrations.AddConstraint(
            model_name='run',
            constraint=models.CheckConstraint(condition=models.Q(('agent__isnull', False)), name='run_has_one_target'),
        ),
        migrations.AddConstraint(
            model_name='run',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['queued', 'running', 'waiting', 'completed', 'failed', 'cancelled'])), name='run_state_known'),
        ),
        migrations.AddConstraint(
            model_name='run',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', False), ('state__in', ('completed', 'failed', 'cancelled'))), models.Q(('finished_at', None), ('state__in', ('queued', 'running', 'waiting'))), _connector='OR'), name='run_finished_when_terminal'),
        ),
        migrations.AddIndex(
            model_name='runartifact',
            index=models.Index(fields=['run', 'id'], name='artifact_by_run'),
        ),
        wall_table("runs_run"),
        department_key("runs_run"),
        same_department("runs_run", "agent_id", "agents_agent"),
        same_department("runs_run", "agent_version_id", "agents_agentversion"),
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
    ]
