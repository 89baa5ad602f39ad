from django.db import migrations

from mindloom.wall.policies import shared_rows

_FOR_EVERYONE = "{0}visibility = 'everyone' AND {0}archived_at IS NULL AND {0}published_id IS NOT NULL"


class Migration(migrations.Migration):

    dependencies = [
        ('teams', '0001_initial'),
    ]

    operations = [
        shared_rows("teams_team", _FOR_EVERYONE.format("")),
        shared_rows(
            "teams_teamversion",
            "EXISTS (SELECT 1 FROM teams_team t WHERE t.published_id = teams_teamversion.id AND "
            + _FOR_EVERYONE.format("t.") + ")",
        ),
    ]
