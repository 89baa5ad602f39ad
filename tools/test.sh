#!/usr/bin/env bash
# All tests: first everything without a browser, in parallel, then what drives real processes and a real browser.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ $# -gt 0 ]; then exec .venv/bin/pytest "$@"; fi
tools/browser.sh
.venv/bin/pytest -q -n 2 -m "not browser and not processes and not benchmark"
.venv/bin/pytest -q -p no:randomly -m "(browser or processes) and not benchmark"
