PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo lab test lint bench soak clean

$(VENV)/.installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || python3 -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

demo: $(VENV)/.installed          ## run the quickstart on 336,776 flights, and say what was computed
	$(BIN)/python notebooks/run.py notebooks/quickstart.ipynb

lab: $(VENV)/.installed           ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab notebooks/quickstart.ipynb

test: $(VENV)/.installed          ## every test
	$(BIN)/python -m pytest tests rms_jupyter

lint: $(VENV)/.installed          ## style, types, and the walls of the house
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.installed         ## measure; the table goes into the README
	$(BIN)/python -m tests.bench

soak: $(VENV)/.installed          ## the long runs of the tests
	RMS_SOAK=1 $(BIN)/python -m pytest tests/behaviour -m soak

clean:
	rm -rf $(VENV) build dist
