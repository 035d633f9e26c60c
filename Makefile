# Everything a person types. `make help` lists it.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
ARGS   ?=

.DEFAULT_GOAL := help
ROUNDS ?= 30

.PHONY: help install demo demo-split serve test lint types imports units lab e2e fuzz crash crash-sqlite crash-postgres crash-postgres_steps crash-calls crash-repairs bench profile format lock wheel clean

help:  ## List the commands
	@awk -F':.*## ' '/^[a-z0-9_-]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.run  ## Install lastmile into ./.venv from the hashed lock

demo: $(VENV)/.run  ## Order, upgrade and cease one broadband product on the embedded lab
	@$(BIN)/lastmile demo $(ARGS)

demo-split: $(VENV)/.run  ## The same on four processes, one per layer
	@$(BIN)/lastmile demo --split

serve: $(VENV)/.run  ## Run platform and lab, print the URLs (ARGS="--port 8640 --auth off")
	@$(BIN)/lastmile serve $(ARGS)

# Most tests wait for sockets and processes: four workers on two cores halve the time. A file stays on one worker.
PARALLEL := -n 4 --dist loadfile

test: lint types imports  ## Every check and every test but the crash matrix
	@$(BIN)/pytest -q $(PARALLEL) --ignore tests/crash $(ARGS)

lint: $(VENV)/.dev  ## Style and lint rules
	@$(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet . && echo "ruff: clean"

types: $(VENV)/.dev  ## mypy --strict
	@$(BIN)/mypy

imports: $(VENV)/.dev  ## Import contracts of the architecture
	@$(BIN)/lint-imports --no-logo

# Folders with nothing but databases and processes in them need not even be imported.
UNITS := $(addprefix --ignore tests/,api/backups api/fsck api/hub api/migrations api/runtime crash docs)

units: $(VENV)/.dev  ## The quick tests only: no sockets, no database
	@$(BIN)/pytest -q -n 2 --dist worksteal -m "not lab and not e2e and not db and not slow" --hypothesis-profile quick $(UNITS) $(ARGS)

lab: $(VENV)/.dev  ## The tests that talk to emulated devices
	@$(BIN)/pytest -m lab $(ARGS)

e2e: $(VENV)/.dev  ## The tests of the whole chain over HTTP
	@$(BIN)/pytest -m e2e $(ARGS)

fuzz: $(VENV)/.dev  ## Requests made up from the official files, and odd bodies for every route (EXAMPLES=100)
	@$(BIN)/pytest -q tests/api/http/test_official_files.py tests/api/http/test_bad_input_bodies.py --examples $(or $(EXAMPLES),100) $(ARGS)

# What the platform is measured against; without it the figure of that peer is left out.
.ansible/bin/ansible-playbook:
	@echo "installing Ansible into .ansible, to measure against …"
	-@$(PYTHON) -m venv .ansible && .ansible/bin/pip install --quiet --disable-pip-version-check ansible ncclient

bench: $(VENV)/.dev | .ansible/bin/ansible-playbook  ## Measure the platform (FIGURE="orders_sqlite latency" RUNS=3)
	@$(BIN)/python -m tests.bench $(FIGURE) --runs $(or $(RUNS),3)

profile: $(VENV)/.dev  ## Say where the time of an order goes (ORDERS=200)
	@$(BIN)/python -m tests.bench.profile $(or $(ORDERS),200)

crash:  ## kill -9 of every process at random, at every step and around every driver call (ROUNDS=400: longer)
	@$(MAKE) --no-print-directory -j5 crash-sqlite crash-postgres crash-postgres_steps crash-calls crash-repairs

crash-sqlite crash-postgres crash-postgres_steps crash-calls crash-repairs: crash-%: $(VENV)/.dev
	@$(BIN)/pytest -q tests/crash/test_$*.py --rounds $(ROUNDS) $(ARGS)

format: $(VENV)/.dev  ## Format the code, mend what the linter can
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

wheel: $(VENV)/.run  ## Build dist/*.whl
	@$(BIN)/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist . && ls dist

lock:  ## Resolve the dependencies anew (needs uv); writes hashes and no index host
	uv pip compile pyproject.toml $(LOCK) --group build -o requirements.txt
	uv pip compile pyproject.toml $(LOCK) --group build --group dev -c requirements.txt -o requirements-dev.txt

LOCK := --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	--no-emit-index-url --no-emit-find-links --quiet

clean:  ## Remove what the commands above made, but no data folder
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "lastmile needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.11 …")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.txt pyproject.toml | $(BIN)/python
	@echo "installing lastmile into $(VENV) …"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	@echo "installing the test tools …"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@
