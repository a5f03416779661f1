# `make demo` and `make test` each work from a clean clone: they make a virtual environment and
# install what they need into it. Set VENV to use another place, PYTHON for another interpreter.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/pip install --quiet --constraint constraints.txt
# Two processes of one thread each make more of two cores than one of two threads.
PYTEST := -m pytest --numprocesses 2 --dist worksteal

.PHONY: demo test test-pyqt6 lint clean

demo: $(VENV)/installed
	$(BIN)/napari-noise2self demo --output demo

test test-pyqt6: export OMP_NUM_THREADS := 1

test: $(VENV)/installed-tests lint
	$(BIN)/python $(PYTEST)

# The tests of the widgets once more, with the other Qt binding.
test-pyqt6:
	$(PYTHON) -m venv $(VENV)-pyqt6
	$(VENV)-pyqt6/bin/pip install --quiet --upgrade "pip>=25.1"
	$(VENV)-pyqt6/bin/pip install --quiet --constraint constraints.txt --editable . PyQt6 --group test
	QT_API=pyqt6 $(VENV)-pyqt6/bin/python $(PYTEST) -o qt_api=pyqt6 tests/widgets

lint: $(VENV)/installed-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) $(VENV)-pyqt6 demo dist build

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade "pip>=25.1"
	$(INSTALL) --editable ".[all]"
	touch $@

$(VENV)/installed-tests: $(VENV)/installed
	$(INSTALL) --group test --group lint
	touch $@
