# Each target first creates the virtual environment if it is missing or older than the lock file.
PYTHON ?= python3
VENV ?= .venv
DATA_ROOT ?= data
BIN := $(VENV)/bin
READY := $(VENV)/.ready-$(shell cksum < requirements.lock | cut -d' ' -f1)

# hundreds of processes import the same modules, so their bytecode is worth keeping
unexport PYTHONDONTWRITEBYTECODE
# tests of a file stay on one worker, as far as possible, and share its fixtures
PYTEST := $(BIN)/python -m pytest -n auto --dist worksteal

.PHONY: help venv install demo test thorough quick lint mutations bench gpu containers documented lock advisories sbom clean

help:            ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv: $(READY)   ## make the virtual environment from the lock file

$(READY):
	$(PYTHON) -c 'import sys; sys.exit("halfreal needs Python 3.11 or newer: make PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	rm -f $(VENV)/.ready-*
	touch $@

demo: install    ## run the whole pipeline on handwritten digits: about 5 minutes on 2 cores
	$(BIN)/halfreal run --recipe digits --data-root $(DATA_ROOT)

install: venv    ## install this checkout into the environment, editable
	@cd / && "$(abspath $(BIN))/python" -c 'import halfreal, sys; sys.exit(halfreal.__file__ != "$(CURDIR)/halfreal/__init__.py")' 2>/dev/null \
	  || "$(abspath $(BIN))/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable "$(CURDIR)"

test: lint       ## lint, types and tests: about 10 minutes on 2 cores
	$(PYTEST) -m "not long"

thorough: install ## the tests that `make test` leaves out since they take minutes
	$(PYTEST) -m long

quick: install   ## the fast tests only
	$(PYTEST) -m "not slow and not long"

lint: install    ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

mutations: install  ## inject 737 faults; a test must catch each
	$(BIN)/python -m tests.checks.mutations

bench: install   ## run the benchmarks against other tools; ROWS="load frechet" for some of them
	$(BIN)/python -m tests.bench.peers .bench/venv
	.bench/venv/bin/python -m tests.bench $(ROWS)

# without `install`, which wants a network: a machine for GPUs often has its own torch, and no network
gpu:             ## test and measure on an NVIDIA GPU: 10 minutes; PARTS="tests fits" for some, DEVICE=cpu to try it
	$(if $(wildcard $(READY)),$(BIN)/python,$(PYTHON)) -m tests.gpu $(PARTS) --device $(or $(DEVICE),cuda)

containers: install ## build the image, run Compose and the manifests: 20 minutes; needs Docker, podman, kubectl
	$(BIN)/python -m pytest -x -v --durations=10 tests/containers/live_compose.py tests/containers/live_locks.py \
	  tests/containers/live_kubernetes.py tests/containers/live_workflows.py

documented: install ## run the lines that README and docs show for Compose, as written: 10 minutes; needs Docker
	$(BIN)/python -m pytest -x -v tests/containers/live_docs.py

lock: venv       ## update requirements.lock from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-annotate --no-header --output-file requirements.lock

advisories: venv ## hold requirements.lock against advisories of osv.dev: ADVISORIES=FILE or folder
	$(BIN)/python -m supply.advisories requirements.lock $(ADVISORIES)

sbom: venv       ## write sbom.json, what requirements.lock has, as CycloneDX; the image has its own
	$(BIN)/python -m supply.sbom requirements.lock > sbom.json

clean:           ## remove the virtual environment and caches; never data
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache build *.egg-info
