"""Agents as files."""

from __future__ import annotations

import pytest
import yaml

from agents import services
from agents.definition import check, digest, exchange
from agents.models import Agent
from agents.queries import file_names, model_named
from agents.services import IDENTITY
from integrations.models import Model
from mindloom import wall
from mindloom.web.errors import Invalid, NotAllowed

pytestmark = pytest.mark.django_db

RICH = {
    "instructions": "Write about {{ topic }}.\n\n  - keep “quotes”\n\ttabs, 🙂 and no: yes\n",
    "variables": [
        {"name": "topic", "default": "on"},
        {"name": "due", "kind": "date", "default": "2026-11-30", "required": False},
        {"name": "tone", "kind": "choice", "choices": ["calm", "no", "1.5"], "default": "no"},
    ],
    "tools": [{"key": "calculator"}, {"key": "web_page", "config": {"sites": ["example.org"]}}],
    "parameters": {"temperature": 0.3},
    "memory": {"storage": "redis", "summary": True},
    "output": {
        "name": "Note",
        "schema": {"type": "object", "properties": {"a": {"type": "string", "enum": ["yes", "no"]}}, "required": ["a"]},
    },
    "language": "German",
    "dates": True,
}


def exported(agent):
    names = file_names(agent.draft)
    identity = {name: getattr(agent, name) for name in exchange.AGENT.identity}
    return exchange.write_file(exchange.AGENT, identity, exchange.named(agent.draft, *names), agent.draft_digest)


def imported(cast, text):
    return services.import_agent(
        actor=cast.bob, department_id=cast.marketing.pk, data=text if isinstance(text, bytes) else text.encode()
    )


@pytest.fixture
def rich(cast, in_marketing, models):
    model = str(Model.objects.get().uuid)
    return services.create_agent(
        actor=cast.bob,
        department_id=cast.marketing.pk,
        name="Rich",
        description="Löst: alles",
        icon="mail",
        category="Tech",
        definition=RICH | {"model": model},
    )


def test_an_agent_comes_back_from_its_file_as_it_was(cast, rich):
    text, before = exported(rich), rich.draft_digest
    services.delete_agent(actor=cast.bob, agent=rich)
    back = imported(cast, text)
    agent = Agent.objects.get(pk=back.agent.pk)
    assert (agent.draft_digest, agent.draft) == (before, rich.draft)
    assert [getattr(agent, name) for name in exchange.AGENT.identity] == ["Rich", "Löst: alles", "mail", "Tech"]
    assert (agent.owner, agent.published, back.notes) == (cast.bob, None, ())
    assert exported(agent) == text


def test_a_file_names_models_by_what_people_call_them_and_holds_no_uuid(rich):
    document = yaml.safe_load(exported(rich))
    assert document["definition"]["model"] == {"label": "Offline", "provider": "Offline", "model": "offline"}
    assert rich.draft["model"] not in exported(rich)
    assert "Write about {{ topic }}." in exported(rich)


def test_an_import_is_always_a_new_agent(cast, rich):
    assert imported(cast, exported(rich)).agent.name == "Rich (copy)"


def test_a_model_that_is_not_here_is_said_and_the_default_used(cast, rich):
    text = exported(rich).replace("provider: Offline", "provider: Elsewhere")
    back = imported(cast, text)
    assert back.agent.draft["model"] is None
    assert "“Offline” of Elsewhere is not here" in back.notes[0]


def test_a_connection_has_to_be_chosen_again():
    definition = {"model": None, "tools": [{"key": "mail", "connection": {"kind": "smtp", "name": "Post"}}]}
    stored, notes = exchange.unnamed(definition, lambda name: None)
    assert stored["tools"][0]["connection"] is None
    assert notes == ["The connection “Post” has to be chosen again under Tools."]


def test_connections_are_written_by_kind_and_name():
    definition = {"model": None, "fallback_model": None, "tools": [{"key": "mail", "connection": "u1"}]}
    written = exchange.named(definition, {}, {"u1": exchange.ConnectionName("smtp", "Post")})
    assert written["tools"][0]["connection"] == {"kind": "smtp", "name": "Post"}


def test_a_viewer_may_not_import(cast, rich):
    with pytest.raises(NotAllowed):
        services.import_agent(actor=cast.carol, department_id=cast.marketing.pk, data=exported(rich).encode())


HEAD = "format: mindloom/agent\nformat_version: 1\nname: A\n"
BODY = "definition:\n  instructions: Go\n"
BROKEN = {
    "empty": ("", "file", "empty"),
    "not text": (b"\x89PNG\r\n\x1a\n\xff\xfe", "file", "UTF-8"),
    "too large": ("#" * 1_000_001, "file", "1,000,000 are the most"),
    "not YAML": ("a: [1, 2", "file", "no valid YAML"),
    "a tab": ("a:\n\t- b", "file", "line 2"),
    "control characters": ("name: \x07", "file", "no valid YAML"),
    "a list": ("- a\n- b\n", "format", "no file of Mindloom"),
    "a foreign file": ("openapi: 3.1.0\n", "format", "no file of Mindloom"),
    "a team": ("format: mindloom/team\nformat_version: 1\n", "format", "mindloom/team"),
    "no version": ("format: mindloom/agent\n", "format_version", "which version"),
    "a newer version": ("format: mindloom/agent\nformat_version: 2\n", "format_version", "newer Mindloom"),
    "an alias": (HEAD + "description: &a x\ncategory: *a\n" + BODY, "file", "refers from one place"),
    "a bomb of aliases": ("a: &a [x]\nb: &b [*a,*a]\nc: [*b,*b]\n", "file", "refers from one place"),
    "a bomb of lists": ("a: " + "[" * 5_000, "file", "nested too deep"),
    "a bomb of values": ("a: [" + "1," * 30_000 + "]", "file", "too many values"),
    "a tag": ("a: !!python/object/apply:os.system [ls]", "file", "tag"),
    "a name twice": (HEAD + "name: B\n" + BODY, "file", "twice"),
    "two documents": (HEAD + BODY + "---\na: 1\n", "file", "no valid YAML"),
    "an unknown field": (HEAD + "colour: red\n" + BODY, "colour", "no such field"),
    "no definition": (HEAD, "definition", "says nothing"),
    "a name that is none": (HEAD.replace("A", "[1]") + BODY, "name", "must be text"),
    "no name": ("format: mindloom/agent\nformat_version: 1\n" + BODY, "name", "Give the agent a name"),
    "a wrong icon": (HEAD + "icon: <script>\n" + BODY, "icon", "Choose one of"),
    "a wrong digest": (HEAD + "digest: abc\n" + BODY, "digest", "SHA-256"),
    "an unknown setting": (HEAD + BODY + "  speed: 3\n", "definition.speed", "no such field"),
    "a setting of a wrong type": (HEAD + BODY + "  retries: many\n", "definition.retries", "whole number"),
    "a number without end": (HEAD + BODY + "  parameters: {temperature: .inf}\n", "definition.parameters.temperature", ""),
    "an unknown tool": (HEAD + BODY + "  tools: [{key: rocket}]\n", "definition.tools.0.key", "no such tool"),
    "a tool that is text": (HEAD + BODY + "  tools: [rocket]\n", "definition.tools.0", "must be an object"),
    "a model that is text": (HEAD + BODY + "  model: gpt\n", "definition.model", "must be an object"),
    "a model with a secret": (
        HEAD + BODY + "  model: {provider: A, model: b, key: s}\n", "definition.model.key", "no such field"
    ),
    "a bad variable": (HEAD + BODY + "  variables: [{name: Bad Name}]\n", "definition.variables.0.name", "small letters"),
    "a bad schema": (
        HEAD + BODY + "  output: {schema: {type: array}}\n", "definition.output.schema.type", "must be an object"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "field", "said"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_file_is_refused_with_a_clear_sentence(cast, in_marketing, models, text, field, said):
    with pytest.raises(Invalid) as caught:
        imported(cast, text)
    assert field in caught.value.fields
    assert said in caught.value.fields[field][0]
    assert not Agent.objects.exists()


def test_dates_and_words_that_yaml_knows_stay_the_texts_they_are(cast, in_marketing, models):
    made = imported(cast, HEAD + BODY + "  variables: [{name: due, kind: date, default: 2026-11-30}]\n").agent
    assert made.draft["variables"][0]["default"] == "2026-11-30"


def test_a_file_of_another_department_is_imported_into_ones_own(cast, rich):
    text = exported(rich)
    with wall.tenant([cast.finance.pk]):
        made = services.import_agent(actor=cast.mallory, department_id=cast.finance.pk, data=text.encode()).agent
        assert (made.department, made.draft_digest) == (cast.finance, rich.draft_digest)


def test_the_names_of_a_models_twin_are_told_apart_by_the_provider(models):
    assert model_named(exchange.ModelName("x", "Offline", "offline"))
    assert model_named(exchange.ModelName("Offline", "Elsewhere", "offline")) is None


def test_identity_and_digest_stand_in_the_file(rich):
    document = yaml.safe_load(exported(rich))
    assert set(exchange.AGENT.identity) < set(IDENTITY)
    assert document["digest"] == digest(check(rich.draft))
