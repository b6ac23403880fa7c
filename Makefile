# Two commands are all that a fresh checkout needs:
#   make book    sets everything up and runs the whole book for real
#   make test    sets everything up and passes the tests
# Another interpreter: make test PYTHON=python3.13 (each has a virtual environment of its own).

IS_NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
ifeq ($(PYTHON),)
PYTHON := $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python $(IS_NEW_ENOUGH) && echo $$python && break; done)
ifeq ($(PYTHON),)
$(error This needs Python 3.11 or newer, and found none. Name one: make $(MAKECMDGOALS) PYTHON=/path/to/python3)
endif
else ifneq ($(shell "$(PYTHON)" $(IS_NEW_ENOUGH) && echo yes),yes)
$(error $(PYTHON) is no Python 3.11 or newer. Name another: make $(MAKECMDGOALS) PYTHON=/path/to/python3)
endif

VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
ENV := .venv/$(VERSION)
BIN := $(ENV)/bin
PLACE := $(ENV)/.place
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

# An environment holds absolute paths: that of a checkout which has moved since is made again.
ifneq ($(shell test -e $(PLACE) && test "$$(cat $(PLACE))" != "$(CURDIR)" && rm -rf $(ENV) && echo yes),)
$(info The checkout has moved: making $(ENV) again)
endif

.PHONY: book test environment conformance lint clean

book: $(ENV)/.book
	@ln -sf $(VERSION)/bin/cookbook .venv/cookbook
	@.venv/cookbook run --all

test: $(ENV)/.test
	@$(BIN)/python -m pytest -n auto

environment: $(ENV)/.test

# Writes docs/conformance.md: this interpreter's column.
conformance: $(ENV)/.test
	@$(BIN)/python tests/support/conformance_page.py

lint: $(ENV)/.test
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

clean:
	rm -rf .venv dist

$(BIN)/python:
	@echo "Making a virtual environment for Python $(VERSION) in $(ENV)"
	@$(PYTHON) -m venv $(ENV) || \
		{ echo "Debian and Ubuntu keep venv apart: apt install python3-venv" >&2; exit 1; }
	@echo "$(CURDIR)" >$(PLACE)

# Each stamp is older than what it was made from, or up to date: then pip is not even asked.
$(ENV)/.book: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing the command cookbook"
	@$(PIP) --editable .
	@touch $@

$(ENV)/.test: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing cookbook and what its tests need"
	@$(PIP) --editable '.[dev]'
	@touch $@ $(ENV)/.book
