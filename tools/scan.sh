#!/usr/bin/env bash
# Checkov on what the chart makes of all installations that the tests know. It has an environment of its own: what it needs does not go
# with what Mindloom needs.
set -euo pipefail
cd "$(dirname "$0")/.."
checkov=.venv/.checkov
if [ ! -x "$checkov/bin/checkov" ]; then
  .venv/bin/uv venv --quiet --python .venv/bin/python "$checkov"
  .venv/bin/uv pip install --quiet --python "$checkov/bin/python" checkov==3.3.30
fi
manifests=$(mktemp -d)
trap 'rm -rf "$manifests"' EXIT
.venv/bin/python -m tests.deploy.write_manifests "$manifests"
"$checkov/bin/checkov" --directory "$manifests" --config-file tools/checkov.yaml
