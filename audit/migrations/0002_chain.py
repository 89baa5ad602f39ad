from django.db import migrations, models

from audit.services.chaining import begin
from mindloom.wall.policies import refuse_changes, refuse_emptying, refuse_removal

KEPT = "Entries of the audit trail are kept as they are."


def chain_what_is_there(apps, schema_editor):
    begin(schema_editor.connection)


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='ChainKey',
            fields=[
                ('number', models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                ('sealed', models.TextField()),
                ('made_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='Head',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('seq', models.BigIntegerField()),
                ('mac', models.BinaryField(help_text='Of the last link')),
                ('key', models.PositiveSmallIntegerField(help_text='Under which the next link is made')),
                ('proof', models.BinaryField(help_text='Of both, under the key: nobody else can set it back')),
            ],
        ),
        migrations.CreateModel(
            name='Link',
            fields=[
                ('seq', models.BigIntegerField(help_text='From 1, without gaps', primary_key=True, serialize=False)),
                ('entry_id', models.BigIntegerField(unique=True)),
                ('digest', models.BinaryField(help_text="Of the entry's content, under the key")),
                ('mac', models.BinaryField(help_text='Of seq, the link before and the digest, under the key')),
                ('key', models.PositiveSmallIntegerField(help_text='Which key')),
            ],
        ),
        migrations.AddField(
            model_name='entry',
            name='door',
            field=models.CharField(blank=True, default='', help_text='How it came in: page, api or admin; empty for the platform', max_length=16),
        ),
        migrations.AddField(
            model_name='entry',
            name='user_agent',
            field=models.CharField(blank=True, default='', help_text='The program that asked', max_length=200),
        ),
        migrations.RemoveIndex(model_name='entry', name='audit_by_department'),
        migrations.AddIndex(model_name='entry', index=models.Index(fields=['-at', '-id'], name='audit_newest')),
        migrations.AddIndex(model_name='entry', index=models.Index(fields=['department_id', '-at', '-id'], name='audit_newest_in')),
        migrations.AddIndex(model_name='entry', index=models.Index(fields=['action', '-at', '-id'], name='audit_newest_of_action')),
        migrations.AddIndex(model_name='entry', index=models.Index(fields=['department_id', 'action', '-at', '-id'], name='audit_newest_of_action_in')),
        migrations.AddIndex(model_name='entry', index=models.Index(fields=['actor_label', '-at', '-id'], name='audit_newest_of_actor')),
        migrations.RunPython(chain_what_is_there, migrations.RunPython.noop),
        refuse_changes("audit_entry", KEPT),
        refuse_changes("audit_link", KEPT),
        refuse_changes("audit_head", KEPT, when="NEW.seq < OLD.seq OR NEW.key < OLD.key"),
        *(refuse_removal(f"audit_{one}", KEPT) for one in ("entry", "link", "head", "chainkey")),
        *(refuse_emptying(f"audit_{one}", KEPT) for one in ("entry", "link", "head", "chainkey")),
    ]
