"""Who somebody is, by their token, and what they may do, by the Roles that are bound to them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from tests.kubernetes.emulator.errors import ApiError
from tests.kubernetes.emulator.store import Store

RBAC = "rbac.authorization.k8s.io"


@dataclass(frozen=True)
class User:
    name: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Act:
    """What somebody wants to do to what."""

    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""


@dataclass
class Access:
    """The tokens given out, and the door that asks for rights."""

    store: Store
    tokens: dict[str, User] = field(default_factory=dict)

    def token_of(self, name: str, *groups: str) -> str:
        token = secrets.token_urlsafe(24)
        self.tokens[token] = User(name, (*groups, "system:authenticated"))
        return token

    def user(self, header: str) -> User:
        user = self.tokens.get(header.removeprefix("Bearer "))
        if user is None:
            raise ApiError(401, "Unauthorized")
        return user

    def may(self, user: User, act: Act) -> bool:
        """Whether any Role that is bound to them says so."""
        if "system:masters" in user.groups:
            return True
        bindings = [*self.store.items(f"clusterrolebindings.{RBAC}")]
        if act.namespace:
            bindings += self.store.items(f"rolebindings.{RBAC}", act.namespace)
        for key, binding in bindings:
            if any(_is(user, subject, key.namespace) for subject in binding.get("subjects", ())):
                rules = self._rules(binding["roleRef"], key.namespace)
                if any(_allows(rule, act) for rule in rules):
                    return True
        return False

    def demand(self, user: User, act: Act) -> None:
        if self.may(user, act):
            return
        named = f' "{act.name}"' if act.name else ""
        where = f'in the namespace "{act.namespace}"' if act.namespace else "at the cluster scope"
        plural = act.resource.partition("/")[0]
        full = f"{plural}.{act.group}" if act.group else plural
        raise ApiError(
            403,
            f'{full}{named} is forbidden: User "{user.name}" cannot {act.verb} resource "{act.resource}" in API group'
            f' "{act.group}" {where}',
            details={"name": act.name, "group": act.group, "kind": plural},
        )

    def _rules(self, reference: dict[str, Any], namespace: str) -> list[dict[str, Any]]:
        cluster_wide = reference["kind"] == "ClusterRole"
        resource = f"{'clusterroles' if cluster_wide else 'roles'}.{RBAC}"
        role = self.store.get(resource, "" if cluster_wide else namespace, reference["name"])
        return (role or {}).get("rules") or []


def _is(user: User, subject: dict[str, Any], namespace: str) -> bool:
    if subject["kind"] == "ServiceAccount":
        return user.name == f"system:serviceaccount:{subject.get('namespace', namespace)}:{subject['name']}"
    if subject["kind"] == "Group":
        return subject["name"] in user.groups
    return bool(subject["name"] == user.name)


def _allows(rule: dict[str, Any], act: Act) -> bool:
    def among(wanted: str, field_: str) -> bool:
        return not {wanted, "*"}.isdisjoint(rule.get(field_) or ())

    names = rule.get("resourceNames")
    return (
        among(act.verb, "verbs")
        and among(act.group, "apiGroups")
        and among(act.resource, "resources")
        and (not names or act.name in names)
    )
