"""What an API server asks of a pod besides its schema."""

from __future__ import annotations

import re
from typing import Any

from tests.kubernetes.emulator.errors import ApiError, Cause
from tests.kubernetes.emulator.quantities import QUANTITY, amount

Found = list[Cause]
LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
LABEL_KEY = re.compile(r"([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")


def wrong(field: str, value: object, message: str) -> Cause:
    return Cause("FieldValueInvalid", field, f'Invalid value: "{value}": {message}')


def label_map(labels: dict[str, str], path: str, found: Found) -> None:
    for name, value in labels.items():
        if not LABEL_KEY.fullmatch(name):
            found.append(wrong(path, name, "name part must consist of alphanumeric characters, '-', '_' or '.'"))
        if not LABEL_VALUE.fullmatch(value):
            found.append(wrong(path, value, "a valid label must be 63 characters or less"))


def check_pod(spec: dict[str, Any], path: str, found: Found, *, policies: tuple[str, ...]) -> None:
    policy = spec.get("restartPolicy", "Always")
    if policy not in policies:
        listed = ", ".join(f'"{one}"' for one in policies)
        said = f'Unsupported value: "{policy}": supported values: {listed}'
        found.append(Cause("FieldValueNotSupported", f"{path}.restartPolicy", said))
    if not spec.get("containers"):
        found.append(Cause("FieldValueRequired", f"{path}.containers", "Required value"))
    volumes = [one["name"] for one in spec.get("volumes") or ()]
    for place, name in enumerate(volumes):
        if volumes.index(name) != place:
            found.append(Cause("FieldValueDuplicate", f"{path}.volumes[{place}].name", f'Duplicate value: "{name}"'))
        if not LABEL.fullmatch(name):
            found.append(wrong(f"{path}.volumes[{place}].name", name, "a lowercase RFC 1123 label"))
    for place, one in enumerate(spec.get("volumes") or ()):
        if len(one) != 2:
            said = "must specify a volume type" if len(one) == 1 else "may not specify more than 1 volume type"
            found.append(Cause("FieldValueRequired", f"{path}.volumes[{place}]", said))
    seen: set[str] = set()
    for section in ("initContainers", "containers"):
        for place, one in enumerate(spec.get(section) or ()):
            where = f"{path}.{section}[{place}]"
            if one["name"] in seen:
                found.append(Cause("FieldValueDuplicate", f"{where}.name", f'Duplicate value: "{one["name"]}"'))
            seen.add(one["name"])
            _container(one, where, set(volumes), found)


def _container(one: dict[str, Any], path: str, volumes: set[str], found: Found) -> None:
    if not LABEL.fullmatch(one["name"]):
        found.append(wrong(f"{path}.name", one["name"], "a lowercase RFC 1123 label"))
    if not one.get("image"):
        found.append(Cause("FieldValueRequired", f"{path}.image", "Required value"))
    elif one["image"] != one["image"].strip():
        found.append(wrong(f"{path}.image", one["image"], "must not have leading or trailing whitespace"))
    mounts = one.get("volumeMounts") or []
    for place, mount in enumerate(mounts):
        if mount["name"] not in volumes:
            said = f'Not found: "{mount["name"]}"'
            found.append(Cause("FieldValueNotFound", f"{path}.volumeMounts[{place}].name", said))
        if [other["mountPath"] for other in mounts].index(mount["mountPath"]) != place:
            found.append(wrong(f"{path}.volumeMounts[{place}].mountPath", mount["mountPath"], "must be unique"))
    for place, entry in enumerate(one.get("env") or ()):
        if not re.fullmatch(r"[^=\x00]+", entry["name"]):
            found.append(wrong(f"{path}.env[{place}].name", entry["name"], "a valid environment variable name"))
        if "value" in entry and entry["value"] and "valueFrom" in entry:
            found.append(wrong(f"{path}.env[{place}].valueFrom", "", "may not be specified when `value` is not empty"))
    ports = [port["name"] for port in one.get("ports") or () if "name" in port]
    if any(len(name) > 15 for name in ports) or len(set(ports)) != len(ports):
        found.append(wrong(f"{path}.ports", ports, "must be unique and no more than 15 characters"))
    _resources(one.get("resources") or {}, f"{path}.resources", found)


def _resources(resources: dict[str, Any], path: str, found: Found) -> None:
    for section in ("limits", "requests"):
        for name, quantity in (resources.get(section) or {}).items():
            if not QUANTITY.fullmatch(str(quantity)):
                raise ApiError(
                    400, f"quantities must match the regular expression ({path}.{section}.{name}: {quantity})"
                )
            if amount(quantity) < 0:
                found.append(wrong(f"{path}.{section}.{name}", quantity, "must be greater than or equal to 0"))
    limits = resources.get("limits") or {}
    for name, quantity in (resources.get("requests") or {}).items():
        if name in limits and amount(quantity) > amount(limits[name]):
            said = f"must be less than or equal to {name} limit of {limits[name]}"
            found.append(wrong(f"{path}.requests", quantity, said))
