# How deploy/bluegreen starts, tries and ends the two colours of deploy/compose.yaml. Each function says on which channel it fails by its status.
# shellcheck shell=bash

# What compose.yaml is read with: the images of the two colours, and the one of everything else.
compose() {
  local blue green
  blue=$(image_of blue) green=$(image_of green)
  MINDLOOM_IMAGE_BLUE=${blue:-${MINDLOOM_IMAGE:-mindloom:latest}} MINDLOOM_IMAGE_GREEN=${green:-${MINDLOOM_IMAGE:-mindloom:latest}} \
    STATE=$state docker compose --profile blue --profile green "$@"
}

# The tables, as the new version needs them and the old one still can use them. An image that is not there is pulled, never built here.
migrate() {
  docker image inspect "$1" >/dev/null 2>&1 || docker pull "$1" || return 1
  MINDLOOM_IMAGE=$1 compose run --rm --no-deps migrate
}

# Web and worker of the colour run, from this image, and live.
begin() { compose up --detach --no-build --no-deps --wait "web-$1" "worker-$1"; }

# It becomes ready (database, tables, Redis, storage, keys) and does what it has to, before anybody is sent there. With SMOKE_TOKEN in the
# environment the journey goes inside, and with SMOKE_AGENT it has a run carried out.
journey() { compose exec --no-TTY -e SMOKE_TOKEN -e SMOKE_AGENT "web-$1" python mindloom/smoke.py http://127.0.0.1:8000; }

# The proxy sends new requests there; those under way end where they are.
point() { compose exec --no-TTY -e "UPSTREAM=web-$1:8000" proxy caddy reload --force --config /proxy/Caddyfile --adapter caddyfile; }

# Workers give back what they carry, live logs are told to come back, requests under way are answered.
end() { compose stop "worker-$1" "web-$1" && compose rm --force "worker-$1" "web-$1"; }

renew_scheduler() { MINDLOOM_IMAGE=$1 compose up --detach --no-build --no-deps --wait scheduler; }
