# `make demo` and `make test` work in a fresh clone; each sets up .venv by itself.
PYTHON ?= python3
# nproc obeys OMP_NUM_THREADS, which says nothing of how many jobs may run.
CORES ?= $(shell env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc 2>/dev/null || sysctl -n hw.ncpu)
THINGS_DIR ?= ../shared/things
BIN := .venv/bin
PATHS := workflow_scripts tests profiles docs/draw_architecture.py

.PHONY: help demo test things cluster-check recover lint format lock benchmark audit advisories recovery clean
help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

demo: .venv/installed  ## run the demo study to its figures
	$(BIN)/snakemake --cores $(CORES)

things: .venv/installed  ## run the real THINGS features study (THINGS_DIR names the data)
	$(BIN)/snakemake --cores $(CORES) --configfile config/things_features.yaml --config things_dir=$(THINGS_DIR)

# One process for each core and one thread for each process: thread pools that share cores slow each other down. The files keep
# the order of tests/conftest.py, longest first; xdist by itself starts with the files of most tests, so that the whole runs of
# one test each would come last, one after the other.
test: .venv/installed lint  ## run the tests (CI=true adds the slow ones)
	OMP_NUM_THREADS=1 $(BIN)/pytest -n $(CORES) --dist loadfile --no-loadscope-reorder $(if $(CI),--durations=30)

cluster-check: .venv/installed  ## say what `snakemake --profile slurm` would submit, and whether the cluster takes it
	@$(BIN)/python profiles/slurm/check.py $(ARGS)

recover: .venv/installed  ## after `kill -9` or a lost login node: cancel what is left of the run, take its lock away
	@$(BIN)/python profiles/slurm/recover.py
	$(BIN)/snakemake --unlock

lint: .venv/installed  ## check style, types, and what imports what
	$(BIN)/ruff check $(PATHS)
	$(BIN)/ruff format --check $(PATHS)
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint
	PYTHONPATH=workflow_scripts $(BIN)/lint-imports --no-logo
	$(BIN)/mypy

format: .venv/installed  ## fix style
	$(BIN)/ruff check --fix $(PATHS)
	$(BIN)/ruff format $(PATHS)
	$(BIN)/snakefmt Snakefile rules

benchmark: .venv/installed  ## measure speed against the peers (slow; needs a quiet machine)
	$(BIN)/pytest tests/benchmarks -m benchmark -s

recovery: .venv/installed  ## end jobs, nodes and runs on a real Slurm and see the work survive (root, half an hour)
	$(BIN)/pytest tests/integration/test_slurm_recovery.py -m recovery -s

lock:  ## resolve pyproject.toml into the lock anew (needs uv)
	uv pip compile --universal --generate-hashes --python-version 3.11 --group test pyproject.toml -o envs/requirements.lock

audit:  ## look the locked packages up in the vulnerability database (needs internet and pip-audit)
	pip-audit --disable-pip --require-hashes -r envs/requirements.lock

advisories: .venv/installed  ## renew the table of known vulnerabilities (DATABASE: a clone of pypa/advisory-database)
	$(BIN)/python tests/audit.py $(DATABASE)

clean:  ## remove the results of all studies and the virtual environment
	rm -rf .venv .snakemake && find results -mindepth 1 -not -name README.md -delete

.venv/installed: envs/requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "repalign needs Python >= 3.11; run: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	@echo "Installing the locked packages into .venv (a few minutes, once)."
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --require-hashes --disable-pip-version-check --progress-bar on -r envs/requirements.lock
	@touch $@
