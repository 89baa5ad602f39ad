"""The API's departments and their people: for administrators and for those who manage them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import django_filters
from django.db.models import Q
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import api_view
from rest_framework.response import Response

from accounts import services
from accounts.authentication import caller
from accounts.idempotency import idempotent
from accounts.models import Department, Invitation, Membership, Role, User
from accounts.queries import (
    departments_editable_by,
    departments_of,
    everybody,
    invitations_editable_by,
    may,
    members_editable_by,
)
from accounts.serializers.departments import (
    DepartmentChanges,
    DepartmentOut,
    InvitationOut,
    InvitationsIn,
    InvitedOut,
    MemberChanges,
    MemberOut,
    NewDepartment,
    PersonOut,
    Removed,
)
from accounts.services.rights import check_administrator
from mindloom.web.api import Pages, given_in, listed, sifted
from mindloom.web.errors import NotAllowed
from mindloom.web.schema import paged, query

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import QuerySet
    from rest_framework.request import Request


class MemberFilter(django_filters.FilterSet):
    """Filters of the list of members."""

    status = django_filters.ChoiceFilter(choices=Membership.Status.choices)
    role = django_filters.ChoiceFilter(choices=Role.choices)
    q = django_filters.CharFilter(method="by_words", help_text="Part of the name or address")

    class Meta:
        """Only the filters above."""

        model = Membership
        fields: tuple[str, ...] = ()

    def by_words(self, found: QuerySet[Membership], _: str, words: str) -> QuerySet[Membership]:
        """By name or address."""
        return found.filter(Q(user__name__icontains=words) | Q(user__email__icontains=words))


class PersonFilter(django_filters.FilterSet):
    """Filters of the list of people."""

    active = django_filters.BooleanFilter("is_active", help_text="Whether they may sign in")
    q = django_filters.CharFilter(method="by_words", help_text="Part of the name or address")

    class Meta:
        """Only the filters above."""

        model = User
        fields: tuple[str, ...] = ()

    def by_words(self, found: QuerySet[User], _: str, words: str) -> QuerySet[User]:
        """By name or address."""
        return found.filter(Q(name__icontains=words) | Q(email__icontains=words))


@idempotent
def create(request: Request) -> Response:
    """Make a department. For administrators."""
    made = services.create_department(actor=caller(request), **given_in(NewDepartment, request))
    place = reverse("api:department", args=[made.uuid])
    return Response(DepartmentOut(made).data, status=201, headers={"Location": place})


@extend_schema(methods=["GET"], operation_id="departments_get", summary="Show a department", responses=DepartmentOut)
@extend_schema(
    methods=["PATCH"],
    operation_id="departments_update",
    summary="Change a department's name, domains and limits. For administrators",
    request=DepartmentChanges,
    responses=DepartmentOut,
)
@api_view(["GET", "PATCH"])
def department(request: Request, uuid: UUID) -> Response:
    """One of your departments; administrators see all, archived ones too."""
    found = _department(request, uuid)
    if request.method == "PATCH":
        changes = given_in(DepartmentChanges, request)
        found = services.update_department(actor=caller(request), department=found, **changes)
    return Response(DepartmentOut(found).data)


@extend_schema(
    operation_id="departments_archive",
    summary="Archive a department: its members lose access, nothing is deleted. For administrators",
    request=None,
    responses=DepartmentOut,
)
@api_view(["POST"])
def archive(request: Request, uuid: UUID) -> Response:
    """It can be opened again."""
    found = _department(request, uuid)
    return Response(DepartmentOut(services.archive_department(actor=caller(request), department=found)).data)


@extend_schema(
    operation_id="departments_restore",
    summary="Open an archived department again. For administrators",
    request=None,
    responses=DepartmentOut,
)
@api_view(["POST"])
def restore(request: Request, uuid: UUID) -> Response:
    """With the members it had."""
    found = _department(request, uuid)
    return Response(DepartmentOut(services.restore_department(actor=caller(request), department=found)).data)


@extend_schema(
    operation_id="members_list",
    summary="List the members of a department, and who waits. For its managers",
    parameters=query(MemberFilter),
    responses=paged(MemberOut),
)
@api_view(["GET"])
def members(request: Request, uuid: UUID) -> Response:
    """The newest first."""
    found = members_editable_by(caller(request)).in_departments([_managed(request, uuid).pk])
    return listed(request, sifted(MemberFilter, request, found), MemberOut)


@extend_schema(
    methods=["PATCH"],
    operation_id="members_update",
    summary="Let somebody in, or change their role. For managers",
    request=MemberChanges,
    responses=MemberOut,
)
@extend_schema(
    methods=["DELETE"],
    operation_id="members_remove",
    summary="Remove somebody, or turn down who waits. For managers",
    responses={200: Removed},
)
@api_view(["PATCH", "DELETE"])
def member(request: Request, uuid: UUID, person_uuid: UUID) -> Response:
    """What somebody owns who is removed becomes yours."""
    actor = caller(request)
    found = members_editable_by(actor).in_departments([_managed(request, uuid).pk])
    membership = get_object_or_404(found, user__uuid=person_uuid)
    if request.method == "DELETE":
        if membership.is_active:
            return Response({"handed_over": services.remove_member(actor=actor, membership=membership)})
        services.refuse_member(actor=actor, membership=membership)
        return Response({"handed_over": {}})
    given = given_in(MemberChanges, request)
    role = Role(given.get("role", membership.role))
    if "status" in given:
        membership = services.accept_member(actor=actor, membership=membership, role=role)
    elif "role" in given:
        membership = services.set_role(actor=actor, membership=membership, role=role)
    return Response(MemberOut(membership).data)


@extend_schema(
    methods=["GET"],
    operation_id="invitations_list",
    summary="List who was invited and has not answered. For managers",
    responses=paged(InvitationOut),
)
@extend_schema(
    methods=["POST"],
    operation_id="invitations_create",
    summary="Invite people by mail. For managers",
    request=InvitationsIn,
    responses={201: InvitedOut},
)
@api_view(["GET", "POST"])
def invitations(request: Request, uuid: UUID) -> Response:
    """Who was invited before gets a new link."""
    found = _managed(request, uuid)
    if request.method == "POST":
        return _invite(request, found)
    pages = Pages()
    rows = invitations_editable_by(caller(request)).in_departments([found.pk]).select_related("invited_by")
    return pages.get_paginated_response(InvitationOut(pages.paginate_queryset(rows, request), many=True).data)


@idempotent
def _invite(request: Request, department: Department) -> Response:
    given = given_in(InvitationsIn, request)["people"]
    people = [
        services.Wanted(one["email"], one.get("name", ""), Role(one.get("role", Role.MEMBER.value))) for one in given
    ]
    done = services.invite(actor=caller(request), department=department, people=people)
    return Response(InvitedOut(done).data, status=201)


@extend_schema(
    operation_id="invitations_withdraw",
    summary="Take an invitation back: its link no longer works. For managers",
    responses={204: OpenApiResponse(description="Taken back")},
)
@api_view(["DELETE"])
def invitation(request: Request, uuid: UUID, invitation_uuid: UUID) -> Response:
    """One that has not been accepted."""
    found: QuerySet[Invitation] = invitations_editable_by(caller(request)).in_departments([_managed(request, uuid).pk])
    services.withdraw_invitation(actor=caller(request), invitation=get_object_or_404(found, uuid=invitation_uuid))
    return Response(status=204)


@extend_schema(
    operation_id="people_list",
    summary="List all people of the installation. For administrators",
    parameters=query(PersonFilter),
    responses=paged(PersonOut),
)
@api_view(["GET"])
def people(request: Request) -> Response:
    """The newest first."""
    check_administrator(caller(request))
    return listed(request, sifted(PersonFilter, request, everybody(caller(request)).prefetch_related(None)), PersonOut)


@extend_schema(
    operation_id="people_deactivate",
    summary="Keep a person out: sessions, tokens and open streams end at once. For administrators",
    request=None,
    responses=PersonOut,
)
@api_view(["POST"])
def deactivate(request: Request, uuid: UUID) -> Response:
    """Nothing is deleted."""
    check_administrator(caller(request))
    person = get_object_or_404(everybody(caller(request)), uuid=uuid)
    return Response(PersonOut(services.deactivate_person(actor=caller(request), person=person)).data)


@extend_schema(
    operation_id="people_reactivate",
    summary="Let a person in again. For administrators",
    request=None,
    responses=PersonOut,
)
@api_view(["POST"])
def reactivate(request: Request, uuid: UUID) -> Response:
    """With the memberships they had."""
    check_administrator(caller(request))
    person = get_object_or_404(everybody(caller(request)), uuid=uuid)
    return Response(PersonOut(services.reactivate_person(actor=caller(request), person=person)).data)


@extend_schema(
    methods=["PUT"],
    operation_id="people_promote",
    summary="Make a person an administrator, who may act in every department. For administrators",
    request=None,
    responses=PersonOut,
)
@extend_schema(
    methods=["DELETE"],
    operation_id="people_demote",
    summary="Take an administrator's rights away. For administrators, never oneself",
    responses=PersonOut,
)
@api_view(["PUT", "DELETE"])
def administrator(request: Request, uuid: UUID) -> Response:
    """What the person is in departments stays as it is."""
    check_administrator(caller(request))
    person = get_object_or_404(everybody(caller(request)), uuid=uuid)
    change = services.promote_person if request.method == "PUT" else services.demote_person
    return Response(PersonOut(change(actor=caller(request), person=person)).data)


def _department(request: Request, uuid: UUID) -> Department:
    """One of the person's, or for administrators any. 404 for others."""
    user = caller(request)
    return get_object_or_404(departments_of(user) | departments_editable_by(user), uuid=uuid)


def _managed(request: Request, uuid: UUID) -> Department:
    found = get_object_or_404(departments_of(caller(request)), uuid=uuid)
    if not may(caller(request), Role.MANAGER, found.pk):
        raise NotAllowed("Only managers of the department see and change who belongs to it.")
    return found
