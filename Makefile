PYTHON ?= python3.11
# The newest versions that are allowed, or those of a file: make test CONSTRAINTS=constraints.txt
CONSTRAINTS :=
VENV := .venv$(if $(CONSTRAINTS),-constrained)
BIN := $(VENV)/bin
NPM := PATH="$(abspath $(BIN)):$$PATH" npm --prefix labextension
PAYLOAD := labextension/src/generated/payload.ts
PAYLOAD_NOW = $(BIN)/python labextension/payload_schema.py | $(NPM) run --silent types
EXTENSION := $(shell find labextension/src -type f) $(wildcard labextension/*.json labextension/build-widgets.mjs)
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
INSTALL_OLDEST = $(BIN)/python -m pip install --quiet --disable-pip-version-check uv \
	&& $(BIN)/uv pip install --quiet --python $(BIN)/python --resolution lowest-direct --upgrade

PYTEST = $(BIN)/python -m pytest --numprocesses 2

.PHONY: demo lab docs test quick oldest constraints lint types commands corpus bench soak clean chromium sshd aligners

# The extension of an editable install is a copy: what it is made from changed, and it is built and copied again.
$(VENV)/.installed: pyproject.toml $(CONSTRAINTS) $(EXTENSION)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || python3 -m venv $(VENV)
	$(INSTALL) $(addprefix --constraint ,$(CONSTRAINTS)) --editable '.[dev,corpus]'
	$(BIN)/python -m compileall -q rms_jupyter
	touch $@

demo: $(VENV)/.installed          ## run the quickstart on 336,776 flights, and say what was computed
	$(BIN)/python notebooks/run.py notebooks/quickstart.ipynb

lab: $(VENV)/.installed           ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab notebooks/quickstart.ipynb

docs: $(VENV)/.installed          ## the site of the documentation, in build/docs
	$(INSTALL) --editable '.[docs]'
	$(BIN)/mkdocs build --quiet --strict

chromium:                         ## the browser of the tests
	@command -v chromium > /dev/null || (apt-get update -qq && apt-get install -qq --yes chromium > /dev/null) \
		|| brew install --quiet --cask chromium

sshd:                             ## the server of the tests of copies
	@test -x /usr/sbin/sshd || command -v sshd > /dev/null || (apt-get update -qq && apt-get install -qq --yes openssh-server > /dev/null)

# Some images of Debian leave documentation out; the reads are there.
aligners:                         ## the programs and reads of notebooks/genomics.ipynb
	@(command -v bowtie2 && command -v bwa && command -v samtools && test -d /usr/share/doc/bowtie2/examples) > /dev/null \
		|| (apt-get update -qq && apt-get install -qq --yes -o 'DPkg::Options::=--path-include=/usr/share/doc/bowtie2/*' \
			bowtie2 bowtie2-examples bwa samtools > /dev/null)

test: $(VENV)/.installed chromium sshd aligners ## every test, those in JupyterLab and Chromium too
	$(NPM) test
	$(PYTEST)
	touch $(VENV)/.passed

quick: $(VENV)/.installed chromium sshd aligners ## for every commit: unit tests, each way to run a plan in one way, and one test in the browser
	$(PYTEST) --quick

oldest:                           ## every test, with the oldest versions that are allowed
	$(MAKE) test VENV=.venv-oldest CONSTRAINTS= INSTALL='$$(INSTALL_OLDEST)'

$(VENV)/.passed: $(VENV)/.installed
	$(MAKE) test

constraints: $(VENV)/.passed      ## write down the versions with which the tests have passed
	$(BIN)/python -m pip list --format freeze --exclude-editable --exclude pip --exclude setuptools > constraints.txt

lint: $(VENV)/.installed          ## style, types, and the walls of the house
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(NPM) run lint
	$(PAYLOAD_NOW) | diff $(PAYLOAD) - || (echo "front ends know other types than the kernel has: make types" && exit 1)

types: $(VENV)/.installed         ## the types of what front ends are given, from Python to TypeScript
	$(PAYLOAD_NOW) > $(PAYLOAD)

commands: $(VENV)/.installed      ## the README's table of commands, from their parsers
	$(BIN)/python -m tests.readme

corpus: $(VENV)/.installed        ## nothing changes but the time: each notebook of the corpus in all ways
	$(PYTEST) tests/corpus

bench: $(VENV)/.installed         ## measure; the table goes into the README
	$(BIN)/python -m tests.bench

soak: $(VENV)/.installed          ## the long runs of the tests
	RMS_SOAK=1 $(BIN)/python -m pytest tests/behaviour -m soak

clean:
	rm -rf .venv .venv-constrained .venv-oldest build dist labextension/lib labextension/node_modules rms_jupyter/labextension rms_jupyter/panel/static
