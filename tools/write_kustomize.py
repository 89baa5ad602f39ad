"""Writes deploy/kustomize/base from the chart, for those without Helm; with --check only says whether it is up to date.

The base takes everything from outside: PostgreSQL, Redis, and one Secret that is called mindloom.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import helm_python as helm
import yaml

ROOT = Path(__file__).resolve().parent.parent
CHART = ROOT / "deploy" / "helm" / "mindloom"
BASE = ROOT / "deploy" / "kustomize" / "base"
HEADER = "# Written from the chart by tools/write_kustomize.py (make docs). Change the chart, or an overlay.\n"
VALUES: dict[str, Any] = {
    "secrets": {"kind": "existing", "existingName": "mindloom"},
    "database": {"kind": "external"},
    "redis": {"kind": "external"},
    "executor": {"enabled": True},
    "ingress": {"enabled": True, "host": "mindloom.example.org"},
}
"""docs/kubernetes.md says what of it an overlay changes."""


def main() -> int:
    """Write, or compare."""
    wanted = files()
    there = {path.name: path.read_text() for path in BASE.glob("*.yaml")}
    if wanted == there:
        return 0
    if "--check" in sys.argv:
        print("deploy/kustomize/base is not what the chart makes. Run: make docs")
        return 1
    for name in there.keys() - wanted.keys():
        (BASE / name).unlink()
    for name, text in wanted.items():
        (BASE / name).write_text(text)
    return 0


def files() -> dict[str, str]:
    """The base: a file for each template of the chart that makes something, and the list of them."""
    with helm.Chart.load(CHART) as chart:
        rendered = chart.render(VALUES, name="mindloom", namespace="mindloom")
    found = {}
    for path, text in sorted(rendered.items()):
        objects = [plain(one) for one in yaml.safe_load_all(text) if one] if path.endswith(".yaml") else []
        if objects and "/tests/" not in path:
            found[Path(path).name] = HEADER + yaml.safe_dump_all(objects, sort_keys=False, width=120)
    listed = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "namespace": "mindloom"}
    found["kustomization.yaml"] = HEADER + yaml.safe_dump(listed | {"resources": sorted(found)}, sort_keys=False)
    return found


def plain(one: dict[str, Any]) -> dict[str, Any]:
    """An object without what only Helm reads. Its namespace is said once, in the list."""
    for meta in (one["metadata"], one.get("spec", {}).get("template", {}).get("metadata", {})):
        if "labels" in meta:
            labels = {name: value for name, value in meta["labels"].items() if not name.startswith("helm.sh/")}
            meta["labels"] = labels | {"app.kubernetes.io/managed-by": "kustomize"}
        kept = {name: value for name, value in meta.pop("annotations", {}).items() if "helm.sh/" not in name}
        if kept:
            meta["annotations"] = kept
    one["metadata"].pop("namespace")
    return one


if __name__ == "__main__":
    sys.exit(main())
