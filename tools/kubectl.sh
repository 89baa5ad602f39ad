#!/usr/bin/env bash
# Finds or installs the kubectl that the tests of a cluster drive. Debian 12's own is too old; there, that of the release after it is taken.
set -euo pipefail
oldest=28
newer=trixie

minor() { kubectl version --client --output yaml 2>/dev/null | sed -n 's/^ *minor: *"\{0,1\}\([0-9]*\).*/\1/p' | head -1; }
fits() { command -v kubectl >/dev/null 2>&1 && [ "$(minor || echo 0)" -ge "$oldest" ]; }

# From the mirror that this machine uses already, without touching its own list of packages.
take_newer() {
  local folder site
  folder=$(mktemp -d)
  site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | head -1)
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site $newer main" >"$folder/sources"
  mkdir -p "$folder/lists/partial"
  apt() { apt-get -qq -o "Dir::Etc::SourceList=$folder/sources" -o Dir::Etc::SourceParts=/dev/null -o APT::Sandbox::User=root -o "Dir::State::Lists=$folder/lists" "$@"; }
  (cd "$folder" && apt update && apt download "kubectl/$newer" && dpkg-deb -x kubectl_*.deb x) >/dev/null
  $sudo install -m 0755 "$folder/x/usr/bin/kubectl" /usr/local/bin/kubectl
  rm -rf "$folder"
  hash -r
}

if fits; then exit 0; fi
if command -v apt-get >/dev/null 2>&1; then
  sudo=""
  if [ "$(id -u)" -ne 0 ]; then sudo=sudo; fi
  echo "Installing kubectl for the tests of a cluster."
  $sudo apt-get update -qq
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends kubernetes-client >/dev/null 2>&1 || true
  if ! fits; then take_newer || true; fi
  if fits; then exit 0; fi
fi
echo "The tests of a cluster need kubectl 1.$oldest or newer. Install it: https://kubernetes.io/docs/tasks/tools/" >&2
exit 1
