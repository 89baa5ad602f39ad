"""What a container gets: environment, arguments and files.

Processes on this machine share its folders, so a volume is a folder of the pod, and paths at or below a mount path are rewritten to
it wherever the environment or the arguments name one.
"""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

from tests.kubernetes.emulator.store import Object, Store


class NotReady(Exception):
    """A volume cannot be mounted yet."""


class BadConfig(Exception):
    """The container names something that is not there."""


def mounted(store: Store, pod: Object, root: Path, claims: dict[str, Path]) -> dict[str, Path]:
    """The folder of each volume, filled."""
    return {one["name"]: _folder(store, pod, one, root, claims) for one in pod["spec"].get("volumes", ())}


def _folder(store: Store, pod: Object, volume: dict[str, Any], root: Path, claims: dict[str, Path]) -> Path:
    namespace, name = pod["metadata"]["namespace"], volume["name"]
    if "persistentVolumeClaim" in volume:
        claim = volume["persistentVolumeClaim"]["claimName"]
        folder = claims.setdefault(claim, root.parent / "claims" / claim)
    else:
        folder = root / "volumes" / name
    folder.mkdir(parents=True, exist_ok=True)
    for part in volume.get("projected", {}).get("sources", ()):
        kept = store.get("secrets", namespace, part["secret"]["name"])
        if kept is None:
            raise NotReady(
                f'MountVolume.SetUp failed for volume "{name}" : secret "{part["secret"]["name"]}" not found'
            )
        _write(
            folder, kept, {"defaultMode": volume["projected"].get("defaultMode", 0o644)} | part["secret"], encoded=True
        )
    for kind, resource, key in (("secret", "secrets", "secretName"), ("configMap", "configmaps", "name")):
        source = volume.get(kind)
        if source is not None:
            kept = store.get(resource, namespace, source[key])
            if kept is None and not source.get("optional"):
                said = f'MountVolume.SetUp failed for volume "{name}" : {kind.lower()} "{source[key]}" not found'
                raise NotReady(said)
            _write(folder, kept or {}, source, encoded=kind == "secret")
    return folder


def _write(folder: Path, kept: Object, source: dict[str, Any], *, encoded: bool) -> None:
    data = kept.get("data") or {}
    items = source.get("items") or [{"key": key, "path": key} for key in data]
    for item in items:
        if item["key"] not in data:
            raise NotReady(f"references non-existent secret key: {item['key']}")
        value, target = data[item["key"]], folder / item["path"]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        target.write_bytes(base64.b64decode(value) if encoded else value.encode())
        target.chmod(item.get("mode", source.get("defaultMode", 0o644)))


class Paths:
    """Rewrites the paths that a container knows to the folders that they are here."""

    def __init__(self, container: dict[str, Any], folders: dict[str, Path]) -> None:
        self.mounts = {
            one["mountPath"].rstrip("/"): folders[one["name"]] / one.get("subPath", "")
            for one in container.get("volumeMounts", ())
        }
        longest = sorted(self.mounts, key=len, reverse=True)
        for path in reversed(longest):
            self._nest(path)
        listed = "|".join(re.escape(path) for path in longest) or "(?!)"
        self._pattern = re.compile(rf"(?<![\w./-])({listed})(?=/|$|[\s:;,?#\"'])")

    def _nest(self, path: str) -> None:
        """A mount below another one is found from there, too."""
        folder = self.mounts[path]
        folder.mkdir(parents=True, exist_ok=True)
        above = max((one for one in self.mounts if path.startswith(f"{one}/")), key=len, default="")
        if above:
            link = self.mounts[above] / path.removeprefix(f"{above}/")
            link.parent.mkdir(parents=True, exist_ok=True)
            if not link.exists():
                link.symlink_to(folder)

    def here(self, text: str) -> str:
        return self._pattern.sub(lambda found: str(self.mounts[found[1]]), text)


def environment(store: Store, pod: Object, container: dict[str, Any], paths: Paths) -> dict[str, str]:
    """The variables that the manifest sets."""
    found: dict[str, str] = {}
    for entry in container.get("envFrom", ()):
        for kind, resource in (("secretRef", "secrets"), ("configMapRef", "configmaps")):
            if kind in entry:
                found |= _all_of(store, pod, entry[kind], resource)
    for entry in container.get("env", ()):
        value = _value(store, pod, entry)
        if value is not None:
            found[entry["name"]] = re.sub(r"\$\((\w+)\)", lambda match: found.get(match[1], match[0]), value)
    return {name: paths.here(value) for name, value in found.items()}


def _all_of(store: Store, pod: Object, reference: dict[str, Any], resource: str) -> dict[str, str]:
    kept = _referenced(store, pod, reference, resource)
    data = (kept or {}).get("data") or {}
    return {name: _plain(resource, value) for name, value in data.items()}


def _plain(resource: str, value: str) -> str:
    return base64.b64decode(value).decode() if resource == "secrets" else value


def _referenced(store: Store, pod: Object, reference: dict[str, Any], resource: str) -> Object | None:
    kept = store.get(resource, pod["metadata"]["namespace"], reference["name"])
    if kept is None and not reference.get("optional"):
        raise BadConfig(f'{resource[:-1].replace("map", "map")} "{reference["name"]}" not found')
    return kept


def _value(store: Store, pod: Object, entry: dict[str, Any]) -> str | None:
    source = entry.get("valueFrom")
    if not source:
        return str(entry.get("value", ""))
    if "fieldRef" in source:
        return _field(pod, source["fieldRef"]["fieldPath"])
    if "resourceFieldRef" in source:
        section, resource = source["resourceFieldRef"]["resource"].split(".")
        container = pod["spec"]["containers"][0]
        return str(container.get("resources", {}).get(section, {}).get(resource, "0"))
    kind, resource = next(
        pair for pair in (("secretKeyRef", "secrets"), ("configMapKeyRef", "configmaps")) if pair[0] in source
    )
    kept = _referenced(store, pod, source[kind], resource)
    data = (kept or {}).get("data") or {}
    if source[kind]["key"] not in data:
        if source[kind].get("optional"):
            return None
        where = f"{pod['metadata']['namespace']}/{source[kind]['name']}"
        raise BadConfig(f"couldn't find key {source[kind]['key']} in {resource[:-1].capitalize()} {where}")
    return _plain(resource, data[source[kind]["key"]])


def _field(pod: Object, path: str) -> str:
    found = re.fullmatch(r"metadata\.(labels|annotations)\['(.+)'\]", path)
    if found:
        return str(pod["metadata"].get(found[1], {}).get(found[2], ""))
    if path in {"status.podIP", "status.hostIP"}:
        return "127.0.0.1"
    value: Any = pod
    for part in path.split("."):
        value = value.get(part, "") if isinstance(value, dict) else ""
    return str(value)
