#!/usr/bin/env bash
# Makes the virtual environment and installs the locked requirements (base or dev). Nothing is installed outside .venv.
set -euo pipefail
cd "$(dirname "$0")/.."
what=$1
python=${PYTHON:-python3}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
  echo "Mindloom needs Python 3.11 or newer; '$python' is not. Say which one: make run PYTHON=python3.12" >&2
  exit 1
}
if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
  # Also mends an environment whose making was cut off.
  rm -rf .venv
  "$python" -m venv .venv || {
    rm -rf .venv
    echo "The virtual environment can't be made. On Debian and Ubuntu: apt-get install python3-venv" >&2
    exit 1
  }
fi
echo "Installing the requirements ($what). The first time takes a minute or two."
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "requirements/$what.txt" || {
  echo "The requirements could not be installed. Check the network and the space on the disk, then run it again." >&2
  exit 1
}
touch ".venv/.$what"
# dev holds all of base.
if [ "$what" = dev ]; then touch .venv/.base; fi
