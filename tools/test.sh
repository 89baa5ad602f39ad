#!/usr/bin/env bash
# All tests, in lanes side by side: processes, which are mostly waited for, beside units and then two lanes of the browser; manifests after the
# journeys; pods, which keep both cores busy, come last and alone. Each lane has servers, ports and folders of its own; what it says is shown when it has ended. With
# arguments: those tests, as pytest takes them.
set -euo pipefail
# Without job control, what runs in the background would ignore Ctrl-C, which some tests press.
set -m
# Each test starts processes of ours, and each lane reads all modules of its own: what was compiled once is kept.
unset PYTHONDONTWRITEBYTECODE
cd "$(dirname "$0")/.."
if [ $# -gt 0 ]; then exec .venv/bin/pytest "$@"; fi
tools/browser.sh
tools/debian.sh caddy caddy "the tests of a switch between two versions"
tools/kubectl.sh

logs=$(mktemp -d)
failed=0
declare -A lanes=()
# Whatever ends this run ends its lanes.
trap 'for lane in "${!lanes[@]}"; do kill "${lanes[$lane]}" 2>/dev/null || true; done; wait; rm -rf "$logs"' EXIT
trap 'exit 130' INT TERM

begin() {
  local lane=$1
  shift
  echo "Begun: $lane"
  .venv/bin/pytest -q "$@" >"$logs/$lane" 2>&1 &
  lanes[$lane]=$!
}

finish() {
  local lane=$1
  if wait "${lanes[$lane]}"; then echo "Passed: $lane"; else
    echo "Failed: $lane"
    failed=1
  fi
  unset "lanes[$lane]"
  cat "$logs/$lane"
}

elsewhere=(tests/browser tests/processes tests/kubernetes tests/deploy)
begin units -n 2 -m "not benchmark" "${elsewhere[@]/#/--ignore=}"
begin processes -p no:randomly tests/processes
finish units
begin pages -p no:randomly tests/browser/test_pages.py
begin journeys -p no:randomly --ignore tests/browser/test_pages.py tests/browser
finish journeys
begin deploy -p no:randomly tests/deploy
finish pages
finish processes
finish deploy
begin kubernetes -p no:randomly tests/kubernetes
finish kubernetes
exit $failed
