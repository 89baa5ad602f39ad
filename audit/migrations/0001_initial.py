from django.db import migrations, models

from mindloom.wall.policies import wall_append_only


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Entry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(auto_now_add=True)),
                ('action', models.CharField(help_text='subject.past_participle, such as agent.published', max_length=80)),
                ('actor_id', models.BigIntegerField(help_text='The person; empty when the platform itself acted', null=True)),
                ('actor_label', models.CharField(max_length=254)),
                ('department_id', models.BigIntegerField(help_text='The department it happened in, if any', null=True)),
                ('target_kind', models.CharField(blank=True, max_length=40)),
                ('target_id', models.CharField(blank=True, max_length=64)),
                ('target_label', models.CharField(blank=True, max_length=254)),
                ('data', models.JSONField(default=dict, help_text='What changed, without secrets')),
                ('ip_address', models.GenericIPAddressField(null=True)),
            ],
            options={
                'verbose_name_plural': 'entries',
                'indexes': [models.Index(fields=['target_kind', 'target_id', '-id'], name='audit_by_target'), models.Index(fields=['department_id', '-id'], name='audit_by_department')],
            },
        ),
        wall_append_only("audit_entry"),
    ]
