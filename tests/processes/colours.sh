# The two colours of deploy/bluegreen as processes of this machine, behind the proxy of deploy/proxy. Needs PORT_BLUE, PORT_GREEN, LOGS, PYTHON.
# shellcheck shell=bash

port_of() { local name="PORT_${1^^}"; echo "${!name}"; }

alive() { [ -s "$LOGS/$1.pid" ] && kill -0 "$(cat "$LOGS/$1.pid")" 2>/dev/null; }

# One part of a colour, in a session of its own, so that it outlives the script.
start() {
  local name=$1
  shift
  alive "$name" && return 0
  setsid "$@" 9>&- </dev/null >>"$LOGS/$name.log" 2>&1 &
  echo $! >"$LOGS/$name.pid"
}

stop_part() {
  alive "$1" || return 0
  kill -TERM "$(cat "$LOGS/$1.pid")"
  while alive "$1"; do sleep 0.1; done
}

# An "image" is the name of a folder of settings; `broken` is a version that cannot serve.
migrate() {
  [ "$1" != unmigratable ] && "$PYTHON" "$CODE/manage.py" migrate --verbosity 0 &&
    "$PYTHON" "$CODE/manage.py" collectstatic --noinput --verbosity 0
}

begin() {
  cd "$CODE"
  if [ "$2" = broken ]; then
    start "web-$1" env REDIS_URL=redis://127.0.0.1:1 "$PYTHON" manage.py serve web --host 127.0.0.1 --port "$(port_of "$1")"
  else
    start "web-$1" "$PYTHON" manage.py serve web --host 127.0.0.1 --port "$(port_of "$1")"
  fi
  start "worker-$1" "$PYTHON" manage.py serve worker -- -n "$1@colours"
}

journey() { "$PYTHON" "$CODE/mindloom/smoke.py" "http://127.0.0.1:$(port_of "$1")"; }

point() { UPSTREAM="127.0.0.1:$(port_of "$1")" caddy reload --force --config "$CODE/deploy/proxy/Caddyfile" --adapter caddyfile; }

end() { stop_part "worker-$1" && stop_part "web-$1"; }

renew_scheduler() {
  cd "$CODE"
  stop_part scheduler
  start scheduler "$PYTHON" manage.py serve scheduler
}
