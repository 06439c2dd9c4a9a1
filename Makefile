# Every command a contributor or CI needs. `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
SHELL := /bin/bash

ROUNDS ?= 20
PROPERTIES := $(wildcard tests/unit/*_properties.py)

.DEFAULT_GOAL := help
.PHONY: help setup demo test cover nightly rounds check fix bench lock clean

help:  ## list the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: .venv/ready  ## create .venv with everything, from the locked and hashed requirements

.venv/ready: requirements/dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Commissary needs Python 3.11 or later; name one: make PYTHON=python3.11 …")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: setup  ## start everything on this machine and watch a real order travel; DEMO=--reset starts over
	@exec $(BIN)/commissary demo $(DEMO)

test: setup  ## run every test; PYTEST="tests/unit -k approval" chooses some
ifdef PYTEST
	$(BIN)/python -m pytest -n 3 --dist worksteal $(PYTEST)
else
	$(BIN)/python -m pytest -n 3 --dist worksteal $(filter-out tests/unit/,$(wildcard tests/*/)) $(PROPERTIES)
	@$(MAKE) --no-print-directory cover
endif

# The unit tests by themselves reach every branch of catalog/, so what others reach on the way does not count; nor what
# long searches come across, which would take three times as long besides. One process: coverage is then measured without
# help in the workers of pytest-xdist.
cover: setup  ## run the unit tests but the long searches, and fail unless they reach every branch of catalog/
	$(BIN)/coverage run -m pytest -q tests/unit $(PROPERTIES:%=--ignore=%)
	$(BIN)/coverage report --show-missing --skip-covered

nightly: setup  ## run the unit tests with fifty times as many examples of each property; takes hours
	HYPOTHESIS_PROFILE=nightly $(BIN)/python -m pytest -n 3 --dist worksteal tests/unit

rounds: setup  ## run the kill test and the race tests of approvals ROUNDS times in a row: 20 take well over an hour
	@for round in $$(seq $(ROUNDS)); do echo "== round $$round of $(ROUNDS)"; \
	  $(BIN)/python -m pytest -q -n 2 --dist worksteal tests/e2e/test_approval_kill.py tests/workflows/test_races.py || exit 1; done

check: setup  ## lint, format, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports --no-logo

fix: setup  ## repair what lint and format can repair
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup  ## run every benchmark; each prints a table and one JSON line
	@for bench in bench/[a-z]*.py; do echo "== $$bench"; $(BIN)/python $$bench || exit 1; done

lock: setup  ## renew the locked requirements from pyproject.toml
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --all-extras --no-header --quiet pyproject.toml -o requirements/dev.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --quiet pyproject.toml -o requirements/runtime.lock

clean:  ## remove what the commands above made
	rm -rf .venv var build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache htmlcov .coverage*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
