#!/usr/bin/env bash
# Finds or installs the Chromium that the browser tests drive.
set -euo pipefail
if [ -n "${CHROMIUM:-}" ]; then exit 0; fi
exec "$(dirname "$0")/debian.sh" chromium chromium "the browser tests"
