# `make demo` and `make test` each work from a clean clone: they make a virtual environment and
# install what they need into it. Set VENV to use another place, PYTHON for another interpreter.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/pip install --quiet --constraint constraints.txt

.PHONY: demo test lint clean

demo: $(VENV)/installed
	$(BIN)/napari-noise2self demo --output demo

test: $(VENV)/installed-tests lint
	$(BIN)/python -m pytest

lint: $(VENV)/installed-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) demo dist build

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade "pip>=25.1"
	$(INSTALL) --editable ".[all]"
	touch $@

$(VENV)/installed-tests: $(VENV)/installed
	$(INSTALL) --group test --group lint
	touch $@
