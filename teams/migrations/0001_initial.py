import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models

from mindloom.wall.policies import department_key, refuse_changes, same_department, wall_table


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0003_what_an_answer_showed'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Team',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('name', models.CharField(max_length=80)),
                ('description', models.CharField(blank=True, max_length=300)),
                ('icon', models.CharField(default='users-round', max_length=40)),
                ('visibility', models.CharField(choices=[('private', 'Only me and managers'), ('department', 'Everyone in the department'), ('everyone', 'Everyone in every department')], default='department', max_length=16)),
                ('draft', models.JSONField(default=dict, help_text='A definition; see teams.definition')),
                ('draft_digest', models.CharField(blank=True, max_length=64)),
                ('archived_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('department', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='teams', to='accounts.department')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='teams', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='TeamVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('definition', models.JSONField()),
                ('digest', models.CharField(max_length=64)),
                ('note', models.CharField(blank=True, max_length=300)),
                ('published_at', models.DateTimeField(auto_now_add=True)),
                ('department', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.department')),
                ('published_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='teams.team')),
            ],
        ),
        migrations.AddField(
            model_name='team',
            name='published',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='teams.teamversion'),
        ),
        migrations.AddConstraint(
            model_name='teamversion',
            constraint=models.UniqueConstraint(fields=('team', 'number'), name='team_version_once'),
        ),
        migrations.AddIndex(
            model_name='team',
            index=models.Index(fields=['department', '-updated_at'], name='team_by_department'),
        ),
        migrations.AddConstraint(
            model_name='team',
            constraint=models.UniqueConstraint(condition=models.Q(('archived_at', None)), fields=('department', 'name'), name='team_name_once_per_department'),
        ),
        wall_table("teams_team"),
        department_key("teams_team"),
        department_key("teams_teamversion"),
        same_department("teams_teamversion", "team_id", "teams_team"),
        same_department("teams_team", "published_id", "teams_teamversion"),
        wall_table("teams_teamversion"),
        refuse_changes("teams_teamversion", "A published version never changes."),
    ]
