import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models

from mindloom.wall.policies import wall_table

# One row for each thing while it is unread: more of the same counts it up, and is not mailed again.
TELL = """
CREATE FUNCTION notifications_tell(person bigint, department bigint, kind text, subject text, data jsonb, mail text DEFAULT 'new')
RETURNS void LANGUAGE sql AS $$
    INSERT INTO notifications_notification (uuid, department_id, person_id, kind, subject, data, count, at, mail, mail_tries)
    VALUES (gen_random_uuid(), department, person, kind, left(subject, 100), data, 1, statement_timestamp(), mail, 0)
    ON CONFLICT (person_id, kind, subject) WHERE read_at IS NULL
    DO UPDATE SET count = notifications_notification.count + 1, at = excluded.at, data = excluded.data
$$;
"""
# Whom a department's own affairs are told to: its managers, and where there are none the administrators.
MANAGERS = """
CREATE FUNCTION notifications_managers(department bigint) RETURNS SETOF bigint STABLE LANGUAGE sql AS $$
    WITH managers AS (
        SELECT u.id FROM accounts_membership m JOIN accounts_user u ON u.id = m.user_id AND u.is_active
        WHERE m.department_id = department AND m.role = 'manager' AND m.status = 'active'
    )
    SELECT id FROM managers
    UNION ALL SELECT u.id FROM accounts_user u WHERE u.is_active AND u.is_superuser AND NOT EXISTS (SELECT 1 FROM managers)
$$;
CREATE FUNCTION notifications_belongs(person bigint, department bigint) RETURNS boolean STABLE LANGUAGE sql AS $$
    SELECT EXISTS (SELECT 1 FROM accounts_user u WHERE u.id = person AND u.is_active AND (u.is_superuser OR EXISTS (
        SELECT 1 FROM accounts_membership m WHERE m.user_id = person AND m.department_id = department AND m.status = 'active')))
$$;
"""
# Whoever tests a draft or talks with an agent sits in front of it. What is wrong with a schedule its own row tells.
OF_RUNS = """
CREATE FUNCTION notifications_of_runs() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    data jsonb := jsonb_build_object('run', NEW.uuid, 'number', NEW.id, 'name', NEW.spec -> 'name', 'reason', NEW.reason);
    subject text := 'run:' || NEW.uuid;
BEGIN
    IF OLD.state = 'waiting' THEN
        UPDATE notifications_notification n SET read_at = statement_timestamp()
        WHERE n.person_id = NEW.started_by_id AND n.kind = 'run_waits' AND n.subject = 'run:' || NEW.uuid AND n.read_at IS NULL;
    END IF;
    IF NEW.state = 'waiting' THEN
        PERFORM notifications_tell(NEW.started_by_id, NEW.department_id, 'run_waits', subject, data);
    ELSIF NEW.state = 'failed' AND NEW.trigger NOT IN ('conversation', 'schedule') THEN
        PERFORM notifications_tell(NEW.started_by_id, NEW.department_id, 'run_failed', subject, data);
    ELSIF NEW.state = 'completed' AND NEW.trigger <> 'conversation' THEN
        PERFORM notifications_tell(NEW.started_by_id, NEW.department_id, 'run_finished', subject, data);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER notifications_of_runs AFTER UPDATE OF state ON runs_run FOR EACH ROW
WHEN (OLD.state IS DISTINCT FROM NEW.state AND NEW.trigger NOT IN ('test', 'seed')
    AND (OLD.state = 'waiting' OR NEW.state IN ('waiting', 'failed', 'completed')))
EXECUTE FUNCTION notifications_of_runs();
"""
OF_SCHEDULES = """
CREATE FUNCTION notifications_of_schedules() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    failed boolean := TG_OP = 'UPDATE' AND NEW.run_state = 'failed' AND OLD.run_state <> 'failed';
    s schedules_schedule;
BEGIN
    IF failed OR (NEW.outcome IN ('missed', 'no_right', 'failed_to_start') AND (TG_OP = 'INSERT' OR OLD.outcome <> NEW.outcome)) THEN
        SELECT * INTO s FROM schedules_schedule WHERE id = NEW.schedule_id;
        PERFORM notifications_tell(told.id, s.department_id, 'schedule', 'schedule:' || s.uuid, jsonb_build_object(
            'schedule', s.uuid, 'name', s.name, 'planned_at', NEW.planned_at, 'message', NEW.message,
            'outcome', CASE WHEN failed THEN 'failed' ELSE NEW.outcome END,
            'paused', CASE WHEN s.paused_at IS NULL THEN '' ELSE s.paused_reason END))
        FROM (
            SELECT s.owner_id AS id WHERE notifications_belongs(s.owner_id, s.department_id)
            UNION ALL SELECT notifications_managers(s.department_id)
            WHERE NOT notifications_belongs(s.owner_id, s.department_id)
        ) told;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER notifications_of_schedules AFTER INSERT OR UPDATE OF outcome, run_state ON schedules_occurrence
FOR EACH ROW EXECUTE FUNCTION notifications_of_schedules();
CREATE FUNCTION notifications_of_pauses() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE notifications_notification n SET data = n.data || jsonb_build_object('paused', NEW.paused_reason)
    WHERE n.kind = 'schedule' AND n.subject = 'schedule:' || NEW.uuid AND n.department_id = NEW.department_id AND n.read_at IS NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER notifications_of_pauses AFTER UPDATE OF paused_reason ON schedules_schedule FOR EACH ROW
WHEN (OLD.paused_reason <> NEW.paused_reason) EXECUTE FUNCTION notifications_of_pauses();
"""
# Who waits is told to the managers, and where there are none to the administrators, until nobody waits any more.
OF_MEMBERS = """
CREATE FUNCTION notifications_of_members() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    row accounts_membership := CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    place accounts_department;
BEGIN
    SELECT * INTO place FROM accounts_department d WHERE d.id = row.department_id;
    IF place.id IS NULL THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' AND row.status = 'pending' THEN
        PERFORM notifications_tell(told.id, place.id, 'membership', 'waiting:' || place.uuid, jsonb_build_object(
            'what', 'asked', 'department', place.name, 'name', (SELECT u.name FROM accounts_user u WHERE u.id = row.user_id)))
        FROM (SELECT notifications_managers(place.id) AS id) told;
    ELSIF TG_OP = 'UPDATE' AND row.status = 'active' AND (OLD.status <> 'active' OR OLD.role <> row.role) THEN
        PERFORM notifications_tell(row.user_id, place.id, 'membership', 'member:' || place.uuid, jsonb_build_object(
            'what', CASE WHEN OLD.status = 'active' THEN 'role' ELSE 'accepted' END, 'department', place.name, 'role', row.role),
            CASE WHEN OLD.status = 'active' THEN 'new' ELSE 'none' END);
    END IF;
    IF NOT EXISTS (SELECT 1 FROM accounts_membership m WHERE m.department_id = place.id AND m.status = 'pending') THEN
        UPDATE notifications_notification n SET read_at = statement_timestamp()
        WHERE n.kind = 'membership' AND n.subject = 'waiting:' || place.uuid AND n.department_id = place.id AND n.read_at IS NULL;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER notifications_of_members AFTER INSERT OR DELETE OR UPDATE OF status, role ON accounts_membership
FOR EACH ROW EXECUTE FUNCTION notifications_of_members();
"""
GONE = """
DROP TRIGGER notifications_of_members ON accounts_membership; DROP FUNCTION notifications_of_members();
DROP TRIGGER notifications_of_pauses ON schedules_schedule; DROP FUNCTION notifications_of_pauses();
DROP TRIGGER notifications_of_schedules ON schedules_occurrence; DROP FUNCTION notifications_of_schedules();
DROP TRIGGER notifications_of_runs ON runs_run; DROP FUNCTION notifications_of_runs();
DROP FUNCTION notifications_managers(bigint); DROP FUNCTION notifications_belongs(bigint, bigint);
DROP FUNCTION notifications_tell(bigint, bigint, text, text, jsonb, text);
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0005_runs_at_once'),
        ('runs', '0009_lists_by_time'),
        ('schedules', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Preference',
            fields=[
                ('person', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='notification_preference', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('hidden', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=16), blank=True, default=list, help_text='Kinds that are not shown at all', size=None)),
                ('mail', models.JSONField(blank=True, default=dict, help_text='When each kind is mailed, by kind')),
                ('daily_hour', models.PositiveSmallIntegerField(default=7, help_text="Of the daily mail, in the person's time zone", validators=[django.core.validators.MaxValueValidator(23)])),
                ('mailed_on', models.DateField(editable=False, help_text="The person's day of the last daily mail", null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Notification',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('kind', models.CharField(choices=[('run_waits', 'A run waits for me'), ('run_failed', 'A run of mine failed'), ('run_finished', 'A run of mine is done'), ('schedule', 'A schedule of mine missed a time or failed'), ('membership', 'Who joins, and what I may do'), ('limit', 'A limit of the department is near')], max_length=16)),
                ('subject', models.CharField(help_text='What it is about; one row for each while it is unread', max_length=100)),
                ('data', models.JSONField(default=dict, help_text='What is said of it; see notifications.queries')),
                ('count', models.PositiveIntegerField(default=1, help_text='How often it happened')),
                ('at', models.DateTimeField(help_text='When it last happened')),
                ('read_at', models.DateTimeField(null=True)),
                ('mail', models.CharField(choices=[('new', 'Not decided yet'), ('none', 'None'), ('daily', 'With the next daily mail'), ('sent', 'Sent'), ('failed', 'Given up')], default='new', max_length=8)),
                ('mail_tries', models.PositiveSmallIntegerField(default=0)),
                ('mail_due_at', models.DateTimeField(help_text='The mail is not tried earlier', null=True)),
                ('department', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.department')),
                ('person', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='notifications', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['person', '-at', '-id'], name='notification_newest'), models.Index(condition=models.Q(('mail__in', ('new', 'daily'))), fields=['id'], name='notification_to_mail'), models.Index(fields=['at'], name='notification_by_age')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('read_at', None)), fields=('person', 'kind', 'subject'), name='notification_once_while_unread')],
            },
        ),
        wall_table("notifications_notification"),
        migrations.RunSQL(TELL + MANAGERS + OF_RUNS + OF_SCHEDULES + OF_MEMBERS, GONE),
    ]
