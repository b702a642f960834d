# The verbs of this project, the same for people and for CI:
#   make demo    a sandbox, a daemon and a page to try it on     make test    the whole suite
#   make check   ruff, mypy, import-linter                       make fmt     format the code
#   make soak    long runs                                       make bench   figures
#   make corpus  the corpus side by side, for a human eye        make lock    resolve dependencies
#   make audit   known holes of the locked packages, a bill of materials in dist/ (asks the network)
#   make test-system  the container image and the systemd units, really run (root, Debian)
.DEFAULT_GOAL := help
.PHONY: help demo test test-system check audit soak bench corpus screenshots fmt lock clean

# The newest of the supported interpreters that is here, unless PYTHON says otherwise.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
ARGS ?=

# The tests start hundreds of interpreters: what is compiled is kept, whatever the environment says.
export PYTHONDONTWRITEBYTECODE :=

help:
	@sed -n '2,7s/^# *//p' Makefile

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "twinpost needs Python 3.11 or newer; none was found. Say which: make PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# Two stamps: what running needs, the web page and its like included, and what developing adds. Each
# is renewed when a lock changes.
$(VENV)/run.stamp: requirements-extras.lock pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes -r requirements-extras.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: requirements-dev.lock pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes -r requirements-dev.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/run.stamp

# On a terminal the demo gets a process group of its own, so that Ctrl-C reaches it and not make,
# which would report an interrupt although everything ended well.
demo: $(VENV)/run.stamp
	@if [ -t 0 ]; then sh -mc '"$$0" "$$@"; exit $$?' $(BIN)/twinpost demo $(ARGS); \
	else exec $(BIN)/twinpost demo $(ARGS); fi

# One worker more than two processors: a third of the time is spent waiting for other processes.
test: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -n 3 $(ARGS)

# Skips, saying why, where something that it needs is not here; .ci/run names the Debian packages.
test-system: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -m system tests/system $(ARGS)

check: $(VENV)/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Apart from `check`, because it asks an advisory service; ARGS=--lenient where that may be away.
audit: $(VENV)/dev.stamp
	$(BIN)/python -m tools.bill dist/twinpost.cdx.json
	$(BIN)/python -m tools.audit $(ARGS)

soak: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -m soak $(ARGS)
	$(BIN)/python -m tools.mutants

bench: $(VENV)/dev.stamp
	$(BIN)/python tools/bench.py $(ARGS)

corpus: $(VENV)/dev.stamp
	@$(BIN)/python -m tools.corpus $(ARGS)

screenshots: $(VENV)/dev.stamp
	TWINPOST_SCREENSHOTS=1 $(BIN)/python -m pytest tests/browser -k fits_a_phone

fmt: $(VENV)/dev.stamp
	$(BIN)/ruff check --fix --select I .
	$(BIN)/ruff format .

UV_COMPILE := $(BIN)/uv pip compile pyproject.toml --group build --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --quiet
lock: | $(VENV)/dev.stamp
	$(UV_COMPILE) -o requirements.lock
	$(UV_COMPILE) --all-extras -c requirements.lock -o requirements-dev.lock
	$(UV_COMPILE) --extra web --extra mqtt --extra metrics -c requirements-dev.lock -o requirements-extras.lock

clean:
	rm -rf $(VENV) .cache .hypothesis .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
