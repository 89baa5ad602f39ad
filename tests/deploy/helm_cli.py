"""The little of Helm's command line that deploy/bluegreen-kubernetes uses, by Helm's own library: python -m tests.deploy.helm_cli …"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

import helm_python as helm

MINUTE = 60


def merged(values: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """Values with others put over them."""
    found = dict(values)
    for name, value in more.items():
        both = isinstance(value, dict) and isinstance(found.get(name), dict)
        found[name] = merged(found[name], value) if both else value
    return found


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("helm")
    parser.add_argument("action", choices=["upgrade", "test"])
    parser.add_argument("release")
    parser.add_argument("chart", nargs="?")
    parser.add_argument("--namespace", required=True)
    parser.add_argument("--timeout", type=lambda text: int(text.removesuffix("s")), required=True)
    parser.add_argument("--filter", default="")
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--set-string", action="append", default=[])
    parser.add_argument("--reset-then-reuse-values", action="store_true")
    parser.add_argument("--wait", action="store_true")
    return parser.parse_args()


def main() -> None:
    """Do it, or say what went wrong as Helm does."""
    given = arguments()
    with helm.Config(kubeconfig_path=os.environ["KUBECONFIG"], namespace=given.namespace) as config:
        if given.action == "test":
            config.test(given.release, timeout=given.timeout, include_names=[given.filter.removeprefix("name=")])
            return
        assert given.reset_then_reuse_values
        values = config.get_values(given.release) or {}
        for texts, read in ((given.set, helm.parse_set_string), (given.set_string, helm.parse_set_string_values)):
            for text in texts:
                values = merged(values, read(text))
        config.upgrade(given.chart, given.release, values, wait="watcher", timeout=given.timeout, reset_values=True)


if __name__ == "__main__":
    try:
        main()
    except helm.HelmError as error:
        sys.exit(f"Error: {error}")
