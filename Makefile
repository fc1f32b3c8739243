PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
EXTENSION := $(shell find labextension -path labextension/node_modules -prune -o -path labextension/lib -prune \
	-o -path labextension/pictures -prune -o -type f -print)

.PHONY: demo lab test lint corpus bench soak clean chromium

# The extension of an editable install is a copy: what it is made from changed, and it is built and copied again.
$(VENV)/.installed: pyproject.toml $(EXTENSION)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || python3 -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	$(BIN)/python -m compileall -q rms_jupyter
	touch $@

demo: $(VENV)/.installed          ## run the quickstart on 336,776 flights, and say what was computed
	$(BIN)/python notebooks/run.py notebooks/quickstart.ipynb

lab: $(VENV)/.installed           ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab notebooks/quickstart.ipynb

chromium:                         ## the browser of the tests
	@command -v chromium > /dev/null || (apt-get update -qq && apt-get install -qq --yes chromium > /dev/null)

test: $(VENV)/.installed chromium ## every test, those in JupyterLab and Chromium too
	$(BIN)/python -m pytest

lint: $(VENV)/.installed          ## style, types, and the walls of the house
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

corpus: $(VENV)/.installed        ## nothing changes but the time: each notebook of the corpus in all ways
	$(BIN)/python -m pytest tests/corpus

bench: $(VENV)/.installed         ## measure; the table goes into the README
	$(BIN)/python -m tests.bench

soak: $(VENV)/.installed          ## the long runs of the tests
	RMS_SOAK=1 $(BIN)/python -m pytest tests/behaviour -m soak

clean:
	rm -rf $(VENV) build dist labextension/lib labextension/node_modules rms_jupyter/labextension rms_jupyter/panel/static
