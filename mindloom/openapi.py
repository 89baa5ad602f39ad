"""How the API's description is written; settings of drf-spectacular that no environment changes."""

from __future__ import annotations

from typing import Any

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Mindloom API",
    "DESCRIPTION": "Agents, runs and what they leave behind. Errors are application/problem+json with a stable `code`.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "NotificationKindEnum": "notifications.models.Kind",
        "MailChoiceEnum": "notifications.models.Choice",
        "VisibilityEnum": "agents.models.Agent.Visibility",
        "ConnectionVisibilityEnum": "integrations.models.Connection.Visibility",
        "TeamTypeEnum": "teams.serializers.TYPE_CHOICES",
        "RunStateEnum": "runs.models.State",
        "ExecutorEnum": "accounts.models.EXECUTORS",
        "ApprovalStateEnum": "runs.models.Approval.State",
        "LaneStateEnum": "runs.serializers.LANE_STATES",
        "ScheduleOverlapEnum": "schedules.models.Schedule.Overlap",
        "ScheduleMissedEnum": "schedules.models.Schedule.Missed",
        "OccurrenceOutcomeEnum": "schedules.models.Occurrence.Outcome",
        "DeliveryStateEnum": "webhooks.models.Delivery.State",
        "BucketLanguageEnum": "buckets.models.Language",
        "LanguageEnum": "agents.definition.LANGUAGES",
        "MessageTypeEnum": "webhooks.models.Delivery.Type",
    },
}
