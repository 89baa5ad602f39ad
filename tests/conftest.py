"""The cast: named people with fixed roles, the same in every test.

Alice manages Marketing, Bob is a member there, Carol a viewer; Mallory manages Finance, an outsider to Marketing; Ada is the
administrator; Nora belongs nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck
from hypothesis import settings as examples

from accounts.models import Department, Membership, Role, User
from mindloom import wall

PASSWORD = "correct horse battery"

# How long an example takes says how busy the machine is, not whether the example holds.
examples.register_profile("untimed", examples.default, deadline=None, suppress_health_check=[HealthCheck.too_slow])
examples.load_profile("untimed")


@dataclass
class Cast:
    """Everybody, and the two departments."""

    marketing: Department
    finance: Department
    alice: User
    bob: User
    carol: User
    mallory: User
    ada: User
    nora: User


def _person(name: str, **fields: object) -> User:
    return User.objects.create_user(f"{name.lower()}@example.org", PASSWORD, name=name, **fields)


@pytest.fixture(autouse=True)
def _cheap_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _uncollected_static_files(settings):
    """Pages render without `collectstatic`, whose manifest the real storage reads."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


def make_cast() -> Cast:
    """Everybody, with their memberships."""
    marketing = Department.objects.create(name="Marketing", slug="marketing")
    finance = Department.objects.create(name="Finance", slug="finance")
    people = Cast(
        marketing=marketing,
        finance=finance,
        alice=_person("Alice"),
        bob=_person("Bob"),
        carol=_person("Carol"),
        mallory=_person("Mallory"),
        ada=User.objects.create_superuser("ada@example.org", PASSWORD, name="Ada"),
        nora=_person("Nora"),
    )
    roles = [
        (people.alice, marketing, Role.MANAGER),
        (people.bob, marketing, Role.MEMBER),
        (people.carol, marketing, Role.VIEWER),
        (people.mallory, finance, Role.MANAGER),
    ]
    with wall.system("tests: set the stage"):
        for user, department, role in roles:
            Membership.objects.create(user=user, department=department, role=role, status=Membership.Status.ACTIVE)
    return people


@pytest.fixture
def cast(db) -> Cast:
    return make_cast()


@pytest.fixture
def client_as(cast):
    """A browser in which the person is signed in; None for a stranger's."""

    def sign_in(user: User | None) -> Client:
        client = Client()
        if user is not None:
            client.force_login(user, backend="accounts.backends.EmailBackend")
        return client

    return sign_in


@pytest.fixture
def in_marketing(cast):
    """The test itself sees Marketing's rows."""
    with wall.tenant([cast.marketing.pk]):
        yield cast.marketing


@pytest.fixture
def seeing_all(db):
    """The test itself sees every row, to look behind the scenes."""
    with wall.system("tests: look behind the scenes"):
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """The test database, which may be emptied after a test that commits; the audit trail refuses that elsewhere."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        for table in ("audit_entry", "audit_link", "audit_head", "audit_chainkey"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {table}_emptied")
        # It begins anew with the first commit, under the key ring that the test has then.
        cursor.execute("TRUNCATE audit_head, audit_chainkey")
