import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models

from mindloom.wall.policies import department_key, refuse_changes, same_department, wall_table


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Agent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('name', models.CharField(max_length=80)),
                ('description', models.CharField(blank=True, max_length=300)),
                ('icon', models.CharField(default='bot', max_length=40)),
                ('category', models.CharField(blank=True, max_length=40)),
                ('visibility', models.CharField(choices=[('private', 'Only me and managers'), ('department', 'Everyone in the department')], default='department', max_length=16)),
                ('draft', models.JSONField(default=dict, help_text='A definition; see agents.definition')),
                ('draft_digest', models.CharField(blank=True, max_length=64)),
                ('archived_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('department', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='agents', to='accounts.department')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='agents', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='AgentVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('definition', models.JSONField()),
                ('digest', models.CharField(max_length=64)),
                ('note', models.CharField(blank=True, max_length=300)),
                ('published_at', models.DateTimeField(auto_now_add=True)),
                ('agent', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='agents.agent')),
                ('department', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.department')),
                ('published_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.AddField(
            model_name='agent',
            name='published',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='agents.agentversion'),
        ),
        migrations.AddConstraint(
            model_name='agentversion',
            constraint=models.UniqueConstraint(fields=('agent', 'number'), name='agent_version_once'),
        ),
        migrations.AddIndex(
            model_name='agent',
            index=models.Index(fields=['department', '-updated_at'], name='agent_by_department'),
        ),
        migrations.AddConstraint(
            model_name='agent',
            constraint=models.UniqueConstraint(condition=models.Q(('archived_at', None)), fields=('department', 'name'), name='agent_name_once_per_department'),
        ),
        wall_table("agents_agent"),
        department_key("agents_agent"),
        department_key("agents_agentversion"),
        same_department("agents_agentversion", "agent_id", "agents_agent"),
        same_department("agents_agent", "published_id", "agents_agentversion"),
        wall_table("agents_agentversion"),
        refuse_changes("agents_agentversion", "A published version never changes."),
    ]
