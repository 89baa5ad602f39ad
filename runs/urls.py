"""Routes of runs: pages, API, websocket."""

from __future__ import annotations

from django.urls import path, re_path

from accounts.authentication import needs_scope
from accounts.models import Scope
from runs import consumers
from runs.api import approvals, openai, usage
from runs.api import artifacts as files
from runs.api import citations as cites
from runs.api import conversations as talks
from runs.api import keeping as kept
from runs.api import many as in_bulk
from runs.api import runs as api
from runs.views import (
    acts,
    artifacts,
    comparing,
    conversations,
    deciding,
    keeping,
    lists,
    many,
    memories,
    metrics,
    pages,
    starting,
)

app_name = "runs"
urlpatterns = [
    path("runs/", lists.run_list, name="list"),
    path("runs/export.csv", lists.run_export, name="export"),
    path("runs/many/", many.many, name="many"),
    path("runs/compare/", comparing.compare, name="compare"),
    path("agents/<uuid:agent_uuid>/run/", starting.start, name="start"),
    path("agents/<uuid:agent_uuid>/test/", starting.test_panel, name="test_panel"),
    path("teams/<uuid:team_uuid>/run/", starting.start_team, name="start_team"),
    path("teams/<uuid:team_uuid>/test/", starting.test_team, name="test_team"),
    path("runs/<uuid:uuid>/", pages.detail, name="detail"),
    path("runs/<uuid:uuid>/output/", pages.output, name="output"),
    path("runs/<uuid:uuid>/output.csv", pages.output_csv, name="output_csv"),
    path("runs/<uuid:uuid>/output.md", pages.output_md, name="output_md"),
    path("runs/<uuid:uuid>/output.json", pages.output_json, name="output_json"),
    path("runs/<uuid:uuid>/artifacts/", artifacts.artifact_list, name="artifacts"),
    path("runs/<uuid:uuid>/artifacts.zip", artifacts.artifacts_zip, name="artifacts_zip"),
    path("runs/<uuid:uuid>/metrics/", metrics.metrics, name="metrics"),
    path("runs/<uuid:uuid>/inputs/", pages.inputs, name="inputs"),
    path("runs/<uuid:uuid>/result/", pages.result, name="result"),
    path("runs/<uuid:uuid>/stop/", acts.stop, name="stop"),
    path("runs/<uuid:uuid>/approvals/<uuid:approval_uuid>/decide/", deciding.decide, name="decide"),
    path("runs/<uuid:uuid>/again/", acts.again, name="again"),
    path("runs/<uuid:uuid>/pin/", keeping.pin, name="pin"),
    path("runs/<uuid:uuid>/delete/", keeping.delete, name="delete"),
    path("departments/<uuid:uuid>/retention/", keeping.retention, name="retention"),
    path("runs/<uuid:uuid>/log/", pages.log_part, name="log_part"),
    path("runs/<uuid:uuid>/log/<int:seq>/", pages.log_line, name="log_line"),
    path("runs/<uuid:uuid>/log.txt", pages.log_text_file, name="log_text"),
    path("runs/<uuid:uuid>/log.jsonl", pages.log_lines_file, name="log_lines"),
    path("runs/<uuid:uuid>/artifacts/<uuid:artifact_uuid>/", artifacts.artifact, name="artifact"),
    path("runs/<uuid:uuid>/artifacts/<uuid:artifact_uuid>/preview/", artifacts.preview, name="artifact_preview"),
    path("runs/<uuid:uuid>/artifacts/<uuid:artifact_uuid>/picture/", artifacts.picture, name="artifact_picture"),
    path("memories/", memories.memory_list, name="memories"),
    path("memories/<uuid:uuid>/forget/", memories.forget, name="memory_forget"),
    path("conversations/", conversations.conversation_list, name="conversations"),
    path("agents/<uuid:agent_uuid>/talk/", conversations.converse, name="converse"),
    path("teams/<uuid:team_uuid>/talk/", conversations.converse_team, name="converse_team"),
    path("conversations/<uuid:uuid>/", conversations.conversation, name="conversation"),
    path("conversations/<uuid:uuid>/rename/", conversations.rename, name="conversation_rename"),
    path("conversations/<uuid:uuid>/delete/", conversations.delete, name="conversation_delete"),
    path("conversations/<uuid:uuid>/turns/<uuid:run_uuid>/", conversations.turn, name="turn"),
    path("conversations/<uuid:uuid>/turns/<uuid:run_uuid>/resend/", conversations.resend, name="turn_resend"),
    path("conversations/<uuid:uuid>/turns/<uuid:run_uuid>/retry/", conversations.retry, name="turn_retry"),
    path("conversations/<uuid:uuid>/turns/<uuid:run_uuid>/stop/", conversations.stop_turn, name="turn_stop"),
]

api_urlpatterns = [
    path("runs", api.runs, name="runs"),
    path("runs/cancel", in_bulk.cancel_many, name="runs_cancel"),
    path("runs/retry", in_bulk.retry_many, name="runs_retry"),
    path("runs/<uuid:uuid>", api.run_detail, name="run"),
    path("runs/<uuid:uuid>/pin", kept.pin, name="run_pin"),
    path("departments/<uuid:uuid>/retention", kept.retention, name="retention"),
    path("departments/<uuid:uuid>/retention/reports", kept.reports, name="retention_reports"),
    path("runs/<uuid:uuid>/cancel", api.cancel, name="run_cancel"),
    path("runs/<uuid:uuid>/retry", api.retry, name="run_retry"),
    path("runs/<uuid:uuid>/events", api.events, name="run_events"),
    path("runs/<uuid:uuid>/artifacts", files.artifacts, name="run_artifacts"),
    path("runs/<uuid:uuid>/artifacts.zip", files.artifacts_zip, name="run_artifacts_zip"),
    path("runs/<uuid:uuid>/artifacts/<uuid:artifact_uuid>", files.artifact, name="run_artifact"),
    path("runs/<uuid:uuid>/citations", cites.citations, name="run_citations"),
    path("runs/<uuid:uuid>/usage", usage.run_usage, name="run_usage"),
    path("usage", usage.usage, name="usage"),
    path("runs/<uuid:uuid>/approvals", approvals.approvals, name="run_approvals"),
    path("approvals/<uuid:uuid>/decide", approvals.decide, name="approval_decide"),
    path("runs/<uuid:uuid>/output.csv", api.output_csv, name="run_output_csv"),
    path("runs/<uuid:uuid>/log.txt", api.log_text_file, name="run_log_text"),
    path("runs/<uuid:uuid>/log.jsonl", api.log_lines_file, name="run_log_lines"),
    path("conversations", talks.conversations, name="conversations"),
    path("conversations/<uuid:uuid>", talks.conversation, name="conversation"),
    path("conversations/<uuid:uuid>/messages", talks.messages, name="conversation_messages"),
    path("conversations/<uuid:uuid>/resend", talks.resend, name="conversation_resend"),
]

openai_urlpatterns = [
    path("models", openai.Models.as_view(), name="models"),
    path("models/<path:model>", openai.OneModel.as_view(), name="model"),
    path("chat/completions", needs_scope(Scope.RUN)(openai.ChatCompletions.as_view()), name="chat_completions"),
    re_path("", openai.nothing_here, name="nothing"),
]

websocket_urlpatterns = [path("ws/runs/<uuid:uuid>/", consumers.RunConsumer.as_asgi())]
