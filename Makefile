# What a contributor types. `make` alone says what there is; every target sets up .venv by itself.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
# The same code starts hundreds of times in the tests: it may stay compiled. `clean` takes that away.
unexport PYTHONDONTWRITEBYTECODE

# The first of these that runs; say `make PYTHON=...` to choose another.
PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$name; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed
CHECKS := check-format check-lint check-types check-imports check-contracts check-house

.PHONY: help demo up down format check $(CHECKS) test test-kill bench lock contracts venv clean

help: ## say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

demo: $(READY) ## start everything on this machine, run requests through it and show them
	@$(BIN)/habeas demo

up: $(READY) ## start the local stack and leave it running
	@$(BIN)/habeas up

down: $(READY) ## stop it
	@$(BIN)/habeas down

format: $(READY) ## put the code in shape and mend what can be mended by machine
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

check: $(CHECKS) ## format, lint, types, imports, contracts, lock and the rules of the house (-k: go on after a failure)

check-format: $(READY)
	$(BIN)/ruff format --check .

check-lint: $(READY)
	$(BIN)/ruff check .

check-types: $(READY)
	$(BIN)/mypy

check-imports: $(READY)
	$(BIN)/lint-imports --no-logo

check-contracts: $(READY)
	$(BIN)/python -m contracts.generate --check

check-house: $(READY)
	$(BIN)/pytest -q tests/architecture

# Three at a time on any machine, since many of them wait: each runs servers of its own, and several kill them. The longest
# files go first, so that none is left alone at the end. Faults are tried at one of each task's calls here, its first effect, at all
# of them in test-kill.
SPREAD := -n 3 --dist loadfile --no-loadscope-reorder
test: $(READY) ## every test that belongs to each change (under ten minutes on two cores)
	HABEAS_KIT_MOST_CALLS=1 $(BIN)/pytest $(SPREAD) $(wildcard $(addprefix tests/,journeys browser conformance integration example_processor architecture contract unit))

test-kill: $(READY) ## stop and kill services, broker and database at every named point; break every vendor call
	$(BIN)/pytest $(SPREAD) $(wildcard $(addprefix tests/,chaos conformance))

bench: $(READY) ## measure, and print ratios of one warm run
	$(BIN)/python -m tests.bench
	$(BIN)/python -m tests.bench.vendors

lock: $(READY) ## compile requirements.lock anew from pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --all-extras --generate-hashes --no-emit-index-url pyproject.toml -o requirements.lock

contracts: $(READY) ## write contracts/generated anew
	$(BIN)/python -m contracts.generate

venv: $(READY) ## make .venv

clean: ## remove what was made here
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp is newer than the lock for as long as the lock is what is installed.
$(READY): requirements.lock pyproject.toml
	@python="$(PYTHON)"; \
	test -n "$$python" || { echo "Habeas needs Python 3.11 or newer on PATH, or say: make PYTHON=/path/to/python3.11" >&2; exit 1; }; \
	$$python -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "$$python cannot make virtual environments (Debian, Ubuntu: apt-get install python3-venv)" >&2; exit 1; }; \
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $$python -m venv --clear $(VENV)
	@if cmp -s requirements.lock $(VENV)/.lock; then :; else \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock && cp requirements.lock $(VENV)/.lock; fi
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
