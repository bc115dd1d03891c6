# `make run` and `make test` do all the set-up they need, and are quick the second time.
PYTHON ?= python3
BIN := .venv/bin
MODEL := models/built/model.json
# What takes hours; each prints its figures. `make torture TORTURE=tests/torture/torture_kills.py` runs one of them.
TORTURE ?= $(wildcard tests/torture/torture_*.py) tests/reliability/test_fuzz.py tests/reliability/test_guards.py

.PHONY: run test torture lint types bench docs approve evaluate clean
.DELETE_ON_ERROR:

run: .venv/ready $(MODEL)
	@$(BIN)/winback demo $(DEMO)

test: .venv/ready-dev $(MODEL)
	@sh tests/servers/install.sh
	@$(MAKE) --no-print-directory lint types
	@$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder --cov=pipeline/core --cov-branch --cov-fail-under=95 --cov-report=term:skip-covered $(TESTS)

torture: .venv/ready-dev $(MODEL)
	@sh tests/servers/install.sh
	@FUZZ_INPUTS=1000000 GUARDS=all $(BIN)/python -m pytest $(TORTURE)

lint: .venv/ready-dev
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .

types: .venv/ready-dev
	@$(BIN)/mypy

bench: .venv/ready-dev $(MODEL)
	@sh tests/servers/install.sh
	@$(BIN)/python bench/run.py
	@$(BIN)/python bench/stages.py
	@$(BIN)/python bench/reading.py
	@$(BIN)/python bench/learning.py

docs: .venv/ready-dev
	@$(BIN)/python -m pipeline.store.describe > docs/store.md

# Take the texts over as they are, once you have looked at what changed: `git diff tests/approved`.
approve: .venv/ready-dev
	@$(BIN)/python tests/lifelike.py

.venv/made:
	@sh .ci/venv.sh "$(PYTHON)"

.venv/ready: .venv/made pyproject.toml constraints.txt
	@echo "installing winback into .venv (about half a minute, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

.venv/ready-dev: .venv/ready
	@echo "installing what the tests need"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

# OTHERS names a file of texts that other people labelled; their figures go into the card as well.
evaluate: .venv/ready-dev $(MODEL)
	@OMP_NUM_THREADS=1 $(BIN)/python -m pipeline.evaluate models/corpus models/MODEL_CARD.md $(OTHERS)

$(MODEL): .venv/ready $(wildcard models/corpus/*.jsonl) pipeline/learn.py pipeline/train.py pipeline/edges/model.py pipeline/core/cues.py
	@$(BIN)/winback train --shipped

clean:
	rm -rf .venv demo models/built build *.egg-info
