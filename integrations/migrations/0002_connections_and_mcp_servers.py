import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.text
import uuid
from django.conf import settings
from django.db import migrations, models

from mindloom.wall.policies import department_key, wall_table


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_what_an_answer_showed'),
        ('integrations', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='McpServer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('name', models.CharField(max_length=80, unique=True)),
                ('slug', models.SlugField(help_text='Agents know its tool by it, so it stays as it is', max_length=40, unique=True, verbose_name='short name')),
                ('description', models.CharField(blank=True, max_length=300)),
                ('url', models.URLField(max_length=500, verbose_name='address')),
                ('headers', models.JSONField(blank=True, default=dict, help_text='Sent with every request; no secrets')),
                ('secret_header', models.CharField(blank=True, help_text='The header that carries the key', max_length=60)),
                ('secret_sealed', models.TextField(blank=True, editable=False)),
                ('secret_hint', models.CharField(blank=True, editable=False, help_text='Its last four characters', max_length=8)),
                ('effects', models.JSONField(blank=True, default=dict, help_text='What functions do, where the server says it wrongly')),
                ('timeout_seconds', models.PositiveSmallIntegerField(default=30)),
                ('departments', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, default=list, help_text='Ids of those that may use it; empty for all', size=None)),
                ('functions', models.JSONField(blank=True, default=list, editable=False, help_text='What it offered when last checked')),
                ('is_enabled', models.BooleanField(default=True)),
                ('last_checked_at', models.DateTimeField(blank=True, null=True)),
                ('last_check_ok', models.BooleanField(blank=True, null=True)),
                ('last_check_message', models.CharField(blank=True, max_length=600)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.CreateModel(
            name='Connection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('kind', models.CharField(help_text="A key of the catalogue's kinds of connection", max_length=40)),
                ('name', models.CharField(max_length=80)),
                ('visibility', models.CharField(choices=[('private', 'Only me and managers'), ('department', 'Everyone in the department')], default='department', max_length=16)),
                ('settings', models.JSONField(blank=True, default=dict, help_text='Values by field; no secrets')),
                ('secrets_sealed', models.JSONField(blank=True, default=dict, editable=False, help_text='Sealed texts by field')),
                ('secret_hints', models.JSONField(blank=True, default=dict, editable=False, help_text='Last four characters by field')),
                ('is_enabled', models.BooleanField(default=True)),
                ('last_tested_at', models.DateTimeField(blank=True, null=True)),
                ('last_test_ok', models.BooleanField(blank=True, null=True)),
                ('last_test_message', models.CharField(blank=True, max_length=600)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('department', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='connections', to='accounts.department')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='connections', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(models.F('department'), django.db.models.functions.text.Lower('name'), name='connection_name_once_per_department', violation_error_message='There is already a connection of this name in the department. Choose another name.')],
            },
        ),
        wall_table("integrations_connection"),
        department_key("integrations_connection"),
    ]
