import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='email_confirmed_at',
            field=models.DateTimeField(blank=True, help_text='When the person showed that the address is theirs.', null=True),
        ),
        migrations.AlterField(
            model_name='user',
            name='email',
            field=models.EmailField(max_length=254, unique=True, validators=[django.core.validators.RegexValidator('\\A[!-~]+\\Z', 'Write the address in plain letters, digits and signs, as in name@example.org.', code='plain_address')], verbose_name='e-mail'),
        ),
    ]
