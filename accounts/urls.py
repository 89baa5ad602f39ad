"""Routes of accounts: pages and API."""

from __future__ import annotations

from django.urls import path

from accounts import api, views

app_name = "accounts"
urlpatterns = [
    path("sign-in/", views.sign_in, name="sign_in"),
    path("sign-up/", views.sign_up, name="sign_up"),
    path("sign-up/sent/", views.sign_up_sent, name="sign_up_sent"),
    path("sign-out/", views.sign_out, name="sign_out"),
    path("confirm/<str:token>/", views.confirm_email, name="confirm_email"),
    path("setup/<str:token>/", views.setup, name="setup"),
    path("password/forgot/", views.password_forgot, name="password_forgot"),
    path("password/forgot/sent/", views.password_forgot_sent, name="password_forgot_sent"),
    path("password/reset/<str:uidb64>/<str:token>/", views.password_reset, name="password_reset"),
    path("password/change/", views.password_change, name="password_change"),
    path("profile/", views.profile, name="profile"),
    path("profile/confirm/", views.send_confirmation, name="send_confirmation"),
    path("profile/join/", views.join_department, name="join_department"),
    path("switch-department/", views.switch_department, name="switch_department"),
    path("people/", views.people, name="people"),
    path("people/many/", views.people_many, name="people_many"),
    path("people/invite/", views.invite, name="people_invite"),
    path("people/import/", views.import_people, name="people_import"),
    path("people/invitations/<uuid:uuid>/withdraw/", views.withdraw, name="invitation_withdraw"),
    path("people/invitations/<uuid:uuid>/again/", views.invite_again, name="invitation_again"),
    path("invitation/<str:token>/", views.invitation, name="invitation"),
    path("everyone/", views.everyone, name="everyone"),
    path("everyone/many/", views.everyone_many, name="everyone_many"),
    path("people/<uuid:uuid>/accept/", views.accept, name="accept_member"),
    path("people/<uuid:uuid>/refuse/", views.refuse, name="refuse_member"),
    path("people/<uuid:uuid>/role/", views.role, name="set_role"),
    path("people/<uuid:uuid>/remove/", views.remove, name="remove_member"),
    path("departments/", views.departments, name="departments"),
    path("departments/new/", views.department_create, name="department_create"),
    path("departments/<uuid:uuid>/", views.department_edit, name="department_edit"),
    path("departments/<uuid:uuid>/archive/", views.department_archive, name="department_archive"),
    path("departments/<uuid:uuid>/restore/", views.department_restore, name="department_restore"),
]

api_urlpatterns = [
    path("auth/register", api.register, name="register"),
    path("auth/login", api.login, name="login"),
    path("auth/refresh", api.refresh, name="refresh"),
    path("auth/logout", api.logout, name="logout"),
    path("auth/password/forgot", api.password_forgot, name="password_forgot"),
    path("auth/password/reset", api.password_reset, name="password_reset"),
    path("auth/me", api.me, name="me"),
    path("departments", api.departments, name="departments"),
    path("departments/<uuid:uuid>", api.department, name="department"),
    path("departments/<uuid:uuid>/archive", api.archive, name="department_archive"),
    path("departments/<uuid:uuid>/restore", api.restore, name="department_restore"),
    path("departments/<uuid:uuid>/members", api.members, name="department_members"),
    path("departments/<uuid:uuid>/members/<uuid:person_uuid>", api.member, name="department_member"),
    path("departments/<uuid:uuid>/invitations", api.invitations, name="department_invitations"),
    path("departments/<uuid:uuid>/invitations/<uuid:invitation_uuid>", api.invitation, name="department_invitation"),
    path("people", api.people, name="people"),
    path("people/<uuid:uuid>/deactivate", api.deactivate, name="person_deactivate"),
    path("people/<uuid:uuid>/reactivate", api.reactivate, name="person_reactivate"),
]
