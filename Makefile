# Mindloom. `make run` starts everything; `make test` tests everything. Both set up what they need.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export UV_LINK_MODE ?= copy

.DEFAULT_GOAL := help

.PHONY: help run test test-kubernetes check worker browser lint format types arch migrations docs bench scan lock vendor clean setup setup-dev

help:  ## Show what can be made
	@awk 'BEGIN {FS = ":.*?## "} /^[a-z-]+:.*?## / {printf "  \033[1m%-16s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup  ## Start Mindloom with everything it needs (PORT=8000)
	@exec $(BIN)/python manage.py run

test: setup-dev  ## Run all tests: real PostgreSQL, Redis, workers and a browser (T=path for some)
	@tools/test.sh $(T)

test-kubernetes: setup-dev  ## Run the tests of a cluster: on the emulator, or with KUBECONFIG=… on a real one
	@tools/kubectl.sh
	@TEST_CLUSTER=$(if $(KUBECONFIG),real,emulated) $(BIN)/pytest -q -p no:randomly -m kubernetes $(if $(KUBECONFIG),tests/kubernetes,)

check: setup-dev lint types arch migrations  ## Lint, types, import contracts, migrations: what CI asks for besides the tests

worker: setup  ## Start one more worker
	@exec $(BIN)/python -m celery -A mindloom worker --loglevel info

browser:  ## Install the browser that the browser tests drive
	@tools/browser.sh

lint: setup-dev  ## Ruff, on style and on mistakes
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

format: setup-dev  ## Let ruff put the code in order
	@$(BIN)/ruff check --fix-only --quiet . ; $(BIN)/ruff format .

types: setup-dev  ## mypy --strict
	@$(BIN)/mypy .

arch: setup-dev  ## Import contracts
	@$(BIN)/lint-imports

migrations: setup-dev  ## No model change without its migration
	@$(BIN)/python manage.py makemigrations --check --dry-run

docs: setup-dev  ## Write docs/events.md, the kustomize base and the API schema from the code
	@$(BIN)/python tools/write_event_docs.py && $(BIN)/python tools/write_kustomize.py && $(BIN)/python manage.py spectacular --file docs/openapi.yaml --validate

bench: setup-dev  ## Measure, side by side (minutes)
	@$(BIN)/python -m tests.benchmarks

scan: setup-dev  ## Look at the manifests of the chart with Checkov
	@tools/scan.sh

lock: setup-dev  ## Compile requirements/*.txt anew
	@cd requirements && for name in server base dev bench image; do ../$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --quiet $$name.in -o $$name.txt; done

clean:  ## Remove what can be made again; data/ stays
	@rm -rf $(VENV) staticroot .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

setup: $(VENV)/.base
setup-dev: $(VENV)/.dev

$(VENV)/.base: requirements/base.txt
	@PYTHON="$(PYTHON)" tools/setup.sh base

$(VENV)/.dev: requirements/dev.txt
	@PYTHON="$(PYTHON)" tools/setup.sh dev
