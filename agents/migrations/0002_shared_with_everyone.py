from django.db import migrations, models

from mindloom.wall.policies import shared_rows

_FOR_EVERYONE = "{0}visibility = 'everyone' AND {0}archived_at IS NULL AND {0}published_id IS NOT NULL"


class Migration(migrations.Migration):

    dependencies = [
        ('agents', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='agent',
            name='visibility',
            field=models.CharField(choices=[('private', 'Only me and managers'), ('department', 'Everyone in the department'), ('everyone', 'Everyone in every department')], default='department', max_length=16),
        ),
        shared_rows("agents_agent", _FOR_EVERYONE.format("")),
        shared_rows(
            "agents_agentversion",
            "EXISTS (SELECT 1 FROM agents_agent a WHERE a.published_id = agents_agentversion.id AND "
            + _FOR_EVERYONE.format("a.") + ")",
        ),
    ]
