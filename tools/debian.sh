#!/usr/bin/env bash
# Makes sure that a command is there: tools/debian.sh COMMAND PACKAGE WHAT-FOR. Installs the package where apt-get is, else says what to do.
set -euo pipefail
command=$1 package=$2 why=$3
if command -v "$command" >/dev/null 2>&1; then exit 0; fi
if command -v apt-get >/dev/null 2>&1; then
  sudo=""
  if [ "$(id -u)" -ne 0 ]; then sudo=sudo; fi
  echo "Installing $package for $why."
  $sudo apt-get update -qq && $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null && exit 0
fi
echo "$command is missing, which $why need. Install it (in Debian: $package)." >&2
exit 1
