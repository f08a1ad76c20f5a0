# Each target makes its own virtual environment first: with uv where it is installed, with venv and pip where not.
# On a fresh machine with Python (3.11 or later) and make, `make demo` and `make test` need nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
UV := $(shell command -v uv 2>/dev/null)
SHELL := /bin/bash

ifdef UV
  NEW_VENV = uv venv --quiet --allow-existing --python $(PYTHON) $(VENV)
  INSTALL = uv pip install --quiet --python $(BIN)/python
else
  NEW_VENV = $(PYTHON) -m venv $(VENV)
  INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
endif

# Some of what the tests do is waiting, for servers that are slow on purpose and for programs that they start.
PYTEST_OPTIONS = --numprocesses $(shell $(PYTHON) -c 'import os; print(2 * (os.cpu_count() or 1))') --dist worksteal

# Where it is set, every program that the tests start would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test coverage mutation lint format docs reference bench crash faults fuzz soak screenshots package licences audit-dependencies clean

help:
	@echo "make demo    audit an embedded AWS (no account needed)"
	@echo "make test    run all tests"
	@echo "make coverage  run all tests, and see which lines and branches none of them runs"
	@echo "make mutation  break the core in small ways, and see which changes no test notices"
	@echo "make lint    ruff, mypy --strict, import-linter"
	@echo "make format  let ruff format and mend the code"
	@echo "make docs    the documentation site, in site/"
	@echo "make reference  docs/cli.md and docs/checks.md anew, from the program"
	@echo "make crash   kill audits and applies at hundreds of random moments, and go on"
	@echo "make faults  every fault on every call of an audit and an apply; writes docs/reliability.md"
	@echo "make fuzz    give every reader of foreign bytes mutated ones, for FUZZ_MINUTES (10)"
	@echo "make soak    ten minutes of 200,000 images with faults: flat memory, nothing lost; writes docs/reliability.md"
	@echo "make screenshots  picture the HTML report of the demo, for docs/images (needs Chromium)"
	@echo "make package  build wheel and sdist into dist/, and check them"
	@echo "make licences  list the licences of the dependencies in docs/licences.md"
	@echo "make audit-dependencies  ask for known vulnerabilities in what constraints.txt pins"
	@echo "make bench   measure against Cloud Custodian; writes benchmarks/RESULTS.md (RUNS=1 for a quick look)"

$(STAMPS)/venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "amiguard needs Python 3.11 or later; name one with: make PYTHON=python3.12")'
	@$(NEW_VENV)
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/demo: $(STAMPS)/venv pyproject.toml constraints.txt
	@echo "Installing amiguard and its embedded AWS into $(VENV) ..."
	@$(INSTALL) --constraint constraints.txt --editable '.[demo]'
	@touch $@

$(STAMPS)/test: $(STAMPS)/venv pyproject.toml constraints.txt
	@echo "Installing amiguard and what its tests need into $(VENV) ..."
	@$(INSTALL) --constraint constraints.txt --editable '.[test]'
	@touch $@

$(STAMPS)/dev: $(STAMPS)/venv pyproject.toml constraints.txt
	@echo "Installing amiguard and its tools into $(VENV) ..."
	@$(INSTALL) --constraint constraints.txt --editable '.[dev]'
	@touch $(STAMPS)/test $@

# The demo ends as the audit does: 1 says that untrusted sharing was found, which is what it is there to show.
demo: $(STAMPS)/demo
	@$(BIN)/amiguard demo || test $$? -eq 1

test: $(STAMPS)/test
	$(BIN)/python -m pytest $(PYTEST_OPTIONS) $(ARGS)

# The whole suite once more, traced: what it costs is the tracing, not a second run. The program that tests start counts.
coverage: $(STAMPS)/dev
	rm -rf .coverage
	$(BIN)/coverage run -m pytest $(PYTEST_OPTIONS) $(ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --fail-under=95
	$(BIN)/coverage report --fail-under=100 --include='src/amiguard/core/**'

# About half an hour: a sample of the core's mutants, with a fixed seed. All of them: make mutation ARGS=--all
mutation: $(STAMPS)/dev
	$(BIN)/python -m tools.mutation $(ARGS)

lint: $(STAMPS)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMPS)/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMPS)/dev
	$(BIN)/python -m benchmarks.run $(if $(RUNS),--runs $(RUNS)) $(ARGS)

# The warning is about a version of mkdocs that constraints.txt does not take.
docs: $(STAMPS)/dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@echo "site/index.html; the search needs a server: python3 -m http.server --directory site"

reference: $(STAMPS)/dev
	$(BIN)/python -m tools.cli_reference

screenshots: $(STAMPS)/dev
	$(BIN)/python -m benchmarks.screenshots

# --no-isolation: the build backend is that of constraints.txt.
package: $(STAMPS)/dev
	rm -rf dist
	$(BIN)/python -m build --no-isolation
	$(BIN)/python -m twine check --strict dist/*

licences: $(STAMPS)/dev
	$(BIN)/python -m tools.licences

audit-dependencies: $(STAMPS)/dev
	@$(BIN)/python -m tools.audit_dependencies $(ARGS)

crash: $(STAMPS)/dev
	CRASH_SEEDS=100 $(BIN)/python -m pytest --numprocesses auto -k killed_audit tests/cli/test_audit_estate_cut.py $(ARGS)
	CRASH_SEEDS=200 $(BIN)/python -m pytest --numprocesses auto tests/cli/test_remediation_crash.py $(ARGS)

faults: $(STAMPS)/dev
	$(BIN)/python -m tests.faults.write

fuzz: $(STAMPS)/dev
	$(BIN)/python -m tests.fuzz.run

soak: $(STAMPS)/dev
	$(BIN)/python -m benchmarks.soak --update $(ARGS)

clean:
	rm -rf $(VENV) dist build site .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
