#!/usr/bin/env bash
# Finds or installs the kubectl that the tests of a cluster drive. What Debian had before version 13 is too old.
set -euo pipefail
oldest=28
why="the tests of a cluster"

minor() { kubectl version --client --output yaml 2>/dev/null | sed -n 's/^ *minor: *"\{0,1\}\([0-9]*\).*/\1/p' | head -1; }

"$(dirname "$0")/debian.sh" kubectl kubernetes-client "$why"
if [ "$(minor || echo 0)" -lt "$oldest" ]; then
  echo "kubectl is older than 1.$oldest, which $why need. Install a newer one: https://kubernetes.io/docs/tasks/tools/" >&2
  exit 1
fi
