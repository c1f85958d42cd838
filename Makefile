# The short commands. They need python3 (3.11 or newer, with venv) and make; all else they bring.
# `make PYTHON=python3.12` chooses another interpreter.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BENCH_VENV := .venv-bench
UV := $(BIN)/uv
READY := $(VENV)/.ready
# uv trusts the certificates that the machine trusts, as pip does: also those of a company's proxy.
export UV_SYSTEM_CERTS ?= true
BENCH_READY := $(BENCH_VENV)/.ready

# The lab starts machines: it needs root, the rest does not.
AS_ROOT := $(if $(filter 0,$(shell id -u)),,sudo --preserve-env=CI)
# What tests write need not outlive a power cut: in memory they wait for no disk.
IN_MEMORY := $(shell test -w /dev/shm && df --output=avail /dev/shm | awk 'NR == 2 && $$1 > 2e6 {print "/dev/shm"}')
# A file of tests is for one process: what its tests share is made once; tests/order.py has their order. There are two
# processes for each core (tests/machine.py), but one where a lab is built beside them. Compiled modules are kept,
# whatever the environment says: else each process that a test starts compiles them for seconds. A test that hangs
# fails after ten minutes, and shows where.
FAST := env -u PYTHONDONTWRITEBYTECODE PYTEST_DEBUG_TEMPROOT=$(IN_MEMORY) \
	$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder --timeout 600 tests --ignore=tests/lab
LAB_LOG := /tmp/stackward-lab-of-tests.log
LAB_TESTS := $(BIN)/python -B -m pytest -p no:cacheprovider
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $(LOCK_ARGS)

.PHONY: help demo test check lint types rooms fast long mutants fuzz fix lab-up lab-down lab-test lab-soak lab-steady bench docs pictures lock clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

demo: $(READY) ## On a fresh machine: start a real cloud, empty one of its nodes, bring it back (root)
	$(AS_ROOT) $(BIN)/stackward lab up --install --name demo --computes 3
	$(AS_ROOT) $(BIN)/stackward lab load 6 --name demo
	$(AS_ROOT) $(BIN)/stackward lab exec --name demo -- stackward node drain c01 --reason "bad DIMM" --yes
	$(AS_ROOT) $(BIN)/stackward lab exec --name demo -- stackward node list --maintenance
	$(AS_ROOT) $(BIN)/stackward lab exec --name demo -- stackward node return c01 --network lab-net --bring-back --yes
	@echo; echo "The demo is over. Remove its cloud:"; echo "  $(BIN)/stackward lab down --name demo --purge"

test: $(READY) ## All tests: the fast ones while a real lab is built, then those against it (root)
	@echo 'the lab of the tests is built meanwhile; what that tells is in $(LAB_LOG)'
	@{ cd tests && $(AS_ROOT) ../$(BIN)/python -B -m lab.fresh; } >$(LAB_LOG) 2>&1 & lab=$$!; \
	$(FAST) -n $$(nproc) && tests=0 || tests=$$?; \
	wait $$lab || { cat $(LAB_LOG) >&2; exit 1; }; \
	test $$tests = 0 || $(AS_ROOT) $(BIN)/stackward lab down --name test >>$(LAB_LOG) 2>&1; exit $$tests
	$(AS_ROOT) env STACKWARD_TEST_FRESH=1 $(LAB_TESTS) tests/lab

check: lint types rooms fast ## Lint, types, rooms and the fast tests; needs no cloud

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

rooms: $(READY)
	$(BIN)/lint-imports --no-cache

fast: $(READY)
	$(FAST) -m 'not soak and not long'

long: $(READY) ## The tests of ten seconds and more that need no lab: runs killed at each write, workers, chains
	$(FAST) -m 'long and not soak'

mutants: $(READY) ## Try small defects in all rooms, each in a copy of the source: a test must fail by each
	cd tests && ../$(BIN)/python -B -m mutants.run

fuzz: $(READY) ## Read 100,000 changed answers of services and tools; the result is kept in tests/fuzz/RESULT.md
	$(BIN)/python tests/fuzz/campaign.py

fix: $(READY) ## Format, mend what the linter can mend, write the generated pages anew
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python docs/generate.py

lab-up: $(READY) ## Bring the small lab up (root)
	$(AS_ROOT) $(BIN)/stackward lab up

lab-down: $(READY) ## Stop the lab and leave nothing running (root)
	$(AS_ROOT) $(BIN)/stackward lab down

lab-test: $(READY) ## The tests against the real lab; SCENE=30 plays only that scene (root)
	$(AS_ROOT) $(LAB_TESTS) $(if $(SCENE),tests/lab/scenes/test_$(SCENE)_*.py,tests/lab)

lab-soak: $(READY) $(BENCH_READY) ## The long tests against the real lab; FAMILY=drain: only those (root)
	$(AS_ROOT) $(LAB_TESTS) -m soak tests/lab/soak/$(FAMILY)

lab-steady: $(READY) ## Play SCENE=30 ten times, three of them on a busy machine; SCENE= plays all (root)
	cd tests && $(AS_ROOT) ../$(BIN)/python -B -m lab.steady $(SCENE)

bench: $(READY) $(BENCH_READY) ## Measure side by side, as ratios, and fail over the thresholds
	$(BIN)/python bench/start.py $(BIN)/stackward $(BENCH_VENV)/bin/openstack
	$(BIN)/python bench/plan.py
	$(BIN)/python bench/reconcile.py
	$(BIN)/python bench/recover.py
	$(AS_ROOT) $(BIN)/python bench/check.py
	$(BIN)/python bench/deadline.py
	$(BIN)/python bench/workers.py
	$(BIN)/python bench/queue_of_runs.py
	$(BIN)/python bench/before.py
	$(BIN)/python bench/evacuate.py
	$(AS_ROOT) $(BIN)/stackward lab up --install --name bench --computes 3
	$(AS_ROOT) $(BIN)/python bench/drain.py $(BIN)/stackward bench c01 8
	$(AS_ROOT) $(BIN)/python bench/diagnose.py $(BIN)/stackward --lab bench
	$(AS_ROOT) $(BIN)/stackward lab down --name bench --purge
	$(AS_ROOT) $(BIN)/stackward lab up --name bench --profile scale --fake-computes 4
	$(AS_ROOT) $(BIN)/python bench/drain.py $(BIN)/stackward bench fake1 100 1.15
	$(AS_ROOT) $(BIN)/stackward lab down --name bench --purge
	$(BIN)/python bench/chains.py
	$(BIN)/python bench/logs.py
	$(BIN)/python bench/diagnose.py $(BIN)/stackward

docs: $(READY) ## Build the documentation into site/
	$(BIN)/zensical build --config-file mkdocs.yml --strict --clean

pictures: $(READY) ## Make the pictures of the documentation from real runs on a lab of their own (root, tmux)
	$(AS_ROOT) $(BIN)/stackward lab up --install --name pictures --computes 3
	$(AS_ROOT) $(BIN)/python docs/pictures.py pictures
	$(AS_ROOT) $(BIN)/stackward lab down --name pictures --purge

lock: $(UV) ## Resolve the dependencies anew into requirements/*.txt; LOCK_ARGS=--upgrade for newer ones
	$(COMPILE) --group bootstrap -o requirements/bootstrap.txt
	$(COMPILE) pyproject.toml --extra lab --group dev -o requirements/dev.txt
	$(COMPILE) pyproject.toml --extra lab -c requirements/dev.txt -o requirements/run.txt
	$(COMPILE) --group bench -o requirements/bench.txt

clean: ## Remove the environments and everything built; the lab is not touched
	rm -rf $(VENV) $(BENCH_VENV) dist site .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find src tests docs bench -name __pycache__ -type d -prune -exec rm -rf {} +

# --- the environment --------------------------------------------------------------------------
# pip installs one thing, uv, by its hash; uv installs the rest by theirs.

$(UV): requirements/bootstrap.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo 'error: `$(PYTHON)` is missing or older than 3.11' >&2; echo >&2; \
		echo 'hint: install Python 3.11 or newer, then `make PYTHON=python3.11`' >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo 'error: `$(PYTHON)` has no venv module' >&2; echo >&2; \
		echo 'hint: on Debian and Ubuntu: apt-get install python3-venv' >&2; exit 2; }
	@echo 'preparing $(VENV)'
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(READY): $(UV) requirements/dev.txt pyproject.toml
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

$(BENCH_READY): $(UV) requirements/bench.txt
	@echo 'preparing $(BENCH_VENV)'
	@$(UV) venv --quiet --clear --python $(BIN)/python $(BENCH_VENV)
	@$(UV) pip install --quiet --python $(BENCH_VENV)/bin/python --require-hashes -r requirements/bench.txt
	@touch $@
