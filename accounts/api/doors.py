"""The API's doors: signing up and in, tokens, passwords, oneself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_logged_in
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import api_view, authentication_classes, permission_classes, throttle_classes
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import AllowAny
from rest_framework.response import Response

from accounts import services
from accounts.api.departments import create
from accounts.models import User
from accounts.queries import joinable_departments, lacks_second_factor
from accounts.serializers.departments import DepartmentOut, NewDepartment
from accounts.serializers.people import (
    DepartmentChoice,
    Forgot,
    Login,
    Me,
    ProfileChanges,
    Refresh,
    Register,
    Reset,
    Said,
    Tokens,
    described,
)
from accounts.services.factors import SecondFactorMissing
from accounts.services.people import department_by_uuid
from mindloom.web.api import Pages, StrangerThrottle
from mindloom.web.errors import MindloomError
from mindloom.web.schema import PAGING, paged

if TYPE_CHECKING:
    from rest_framework.request import Request

    from accounts.models import Department

SIGNED_IN: Any = [{"token": []}, {"session": []}]
"""What a method needs of a view that others need nothing for, as the schema says it."""
FORGOT_ANSWER = "If there is an account with this address, a link to set a new password is on its way to it."


class WrongCredentials(MindloomError):
    """Address and password do not belong together. Check both, or reset the password."""

    code = "invalid_credentials"
    status = 401


class CodeRequired(MindloomError):
    """The account has a second factor. Send `code` too: of the authenticator app, or a recovery code."""

    code = "code_required"
    status = 401


class WrongCode(MindloomError):
    """The code does not fit, or was used before. Codes change every half minute."""

    code = "code_invalid"
    status = 401


class DepartmentPages(Pages):
    """By name."""

    ordering = "name"


@extend_schema(operation_id="auth_register", request=Register, responses={202: Said}, auth=[])
@api_view(["POST"])
@authentication_classes([])
@permission_classes([AllowAny])
@throttle_classes([StrangerThrottle])
def register(request: Request) -> Response:
    """Sign up for a department. The answer is the same whether or not the address has an account; the mail tells."""
    given = Register(data=request.data)
    given.is_valid(raise_exception=True)
    values = given.validated_data
    department = department_by_uuid(values.pop("department"))
    services.sign_up(department=department, **values)
    return Response({"detail": services.SIGN_UP_ANSWER}, status=202)


@extend_schema(operation_id="auth_login", request=Login, responses=Tokens, auth=[])
@api_view(["POST"])
@authentication_classes([])
@permission_classes([AllowAny])
@throttle_classes([StrangerThrottle])
def login(request: Request) -> Response:
    """Sign in: an access token for 15 minutes, and a refresh token that gets new ones."""
    given = Login(data=request.data)
    given.is_valid(raise_exception=True)
    plain = request._request  # noqa: SLF001 -- what Django's authentication and the lock-out take
    code = given.validated_data.pop("code", "")
    user = authenticate(plain, **given.validated_data)
    if not isinstance(user, User):
        raise WrongCredentials
    if user.second_factor_at is not None:
        if not code:
            raise CodeRequired
        if authenticate(plain, email=user.email, code=code) is None:
            raise WrongCode
    elif lacks_second_factor(user):
        raise SecondFactorMissing
    user_logged_in.send(sender=User, request=plain, user=user)
    return Response(services.issue_tokens(actor=user))


@extend_schema(operation_id="auth_refresh", request=Refresh, responses=Tokens, auth=[])
@api_view(["POST"])
@authentication_classes([])
@permission_classes([AllowAny])
def refresh(request: Request) -> Response:
    """New tokens for a refresh token, which is used up by this."""
    given = Refresh(data=request.data)
    given.is_valid(raise_exception=True)
    return Response(services.refresh_tokens(token=given.validated_data["refresh"]))


@extend_schema(operation_id="auth_logout", request=Refresh, responses={204: OpenApiResponse()}, auth=[])
@api_view(["POST"])
@authentication_classes([])
@permission_classes([AllowAny])
def logout(request: Request) -> Response:
    """End a refresh token. Its last access token runs out by itself."""
    given = Refresh(data=request.data)
    given.is_valid(raise_exception=True)
    services.revoke_tokens(token=given.validated_data["refresh"])
    return Response(status=204)


@extend_schema(operation_id="auth_password_forgot", request=Forgot, responses={202: Said}, auth=[])
@api_view(["POST"])
@authentication_classes([])
@permission_classes([AllowAny])
@throttle_classes([StrangerThrottle])
def password_forgot(request: Request) -> Response:
    """Mail a link that sets a new password. The answer is the same whether or not the address has an account."""
    given = Forgot(data=request.data)
    given.is_valid(raise_exception=True)
    services.request_password_reset(email=given.validated_data["email"])
    return Response({"detail": FORGOT_ANSWER}, status=202)


@extend_schema(operation_id="auth_password_reset", request=Reset, responses={204: OpenApiResponse()}, auth=[])
@api_view(["POST"])
@authentication_classes([])
@permission_classes([AllowAny])
@throttle_classes([StrangerThrottle])
def password_reset(request: Request) -> Response:
    """Set a new password by the two parts of a mailed link, which works once; all sessions and tokens end."""
    given = Reset(data=request.data)
    given.is_valid(raise_exception=True)
    services.reset_password(**given.validated_data)
    return Response(status=204)


@extend_schema(methods=["GET"], operation_id="auth_me", summary="Show yourself", responses=Me)
@extend_schema(
    methods=["PATCH"],
    operation_id="auth_me_update",
    summary="Change your profile",
    request=ProfileChanges,
    responses=Me,
)
@api_view(["GET", "PATCH"])
def me(request: Request) -> Response:
    """Who asks, and where they belong."""
    user = cast("User", request.user)
    if request.method == "PATCH":
        given = ProfileChanges(data=request.data)
        given.is_valid(raise_exception=True)
        user = services.update_profile(actor=user, **given.validated_data)
    chosen: Department | None = request.department if request.auth is None else None  # type: ignore[attr-defined]
    return Response(described(user, chosen))


@extend_schema(
    methods=["GET"],
    operation_id="departments_list",
    summary="The departments that one can sign up for, by name",
    parameters=PAGING,
    responses=paged(DepartmentChoice),
    auth=[],
)
@extend_schema(
    methods=["POST"],
    operation_id="departments_create",
    summary="Make a department. For administrators",
    request=NewDepartment,
    responses={201: DepartmentOut},
    auth=SIGNED_IN,
)
@api_view(["GET", "POST"])
@permission_classes([AllowAny])
def departments(request: Request) -> Response:
    """The departments that one can sign up for, by name; or a new one."""
    if request.method == "POST":
        if not request.user.is_authenticated:
            raise NotAuthenticated
        return create(request)
    pages = DepartmentPages()
    page = pages.paginate_queryset(joinable_departments(), request)
    return pages.get_paginated_response(DepartmentChoice(page, many=True).data)
