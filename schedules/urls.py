"""Routes of schedules: pages and API."""

from __future__ import annotations

from django.urls import path

from schedules import api, views

app_name = "schedules"
urlpatterns = [
    path("schedules/", views.schedule_list, name="list"),
    path("schedules/week/", views.calendar, name="week"),
    path("schedules/new/", views.create, name="create"),
    path("schedules/next-times/", views.next_times, name="next_times"),
    path("schedules/of-agent/<uuid:uuid>/", views.of_agent, name="of_agent"),
    path("schedules/of-team/<uuid:uuid>/", views.of_team, name="of_team"),
    path("schedules/of-run/<uuid:uuid>/", views.of_run, name="of_run"),
    path("schedules/<uuid:uuid>/", views.schedule, name="schedule"),
    path("schedules/<uuid:uuid>/edit/", views.edit, name="edit"),
    path("schedules/<uuid:uuid>/pause/", views.act, {"action": "pause"}, name="pause"),
    path("schedules/<uuid:uuid>/resume/", views.act, {"action": "resume"}, name="resume"),
    path("schedules/<uuid:uuid>/take-over/", views.act, {"action": "take-over"}, name="take_over"),
    path("schedules/<uuid:uuid>/run/", views.run, name="run"),
    path("schedules/<uuid:uuid>/delete/", views.delete, name="delete"),
]

api_urlpatterns = [
    path("schedules", api.schedules, name="schedules"),
    path("schedules/next-times", api.next_times, name="schedule_next_times"),
    path("schedules/<uuid:uuid>", api.schedule, name="schedule"),
    path("schedules/<uuid:uuid>/pause", api.pause, name="schedule_pause"),
    path("schedules/<uuid:uuid>/resume", api.resume, name="schedule_resume"),
    path("schedules/<uuid:uuid>/take-over", api.take_over, name="schedule_take_over"),
    path("schedules/<uuid:uuid>/run", api.run, name="schedule_run"),
    path("schedules/<uuid:uuid>/occurrences", api.occurrences, name="schedule_occurrences"),
]
