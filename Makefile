# Two commands do everything on a fresh machine: `make ask` and `make test`.

PYTHON ?= python3
# The build of PyTorch; installed first, or pip would choose the largest one.
TORCH ?= torch==2.13.0
VENV := .venv
BIN := $(VENV)/bin

Q ?= What is CAR-T therapy?
# The question travels through the environment and stdin, so that no shell ever reads it as code.
override Q := $(value Q)
export Q

.PHONY: help ask ingest check test bench-claims baseline clean

help: ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /  make \1	/'

ask: $(VENV)/.installed indexes/default/CURRENT ## answer a question: make ask Q="What is CRS?"
	@printf '%s' "$$Q" | $(BIN)/curio ask -; status=$$?; case $$status in 0|3|4) exit 0;; *) exit $$status;; esac

ingest: $(VENV)/.installed ## read knowledge/ into indexes/default
	@$(BIN)/curio ingest

check: $(VENV)/.developing ## ruff and mypy --strict
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

test: $(VENV)/.developing ## pytest
	$(BIN)/pytest

bench-claims: $(VENV)/.installed indexes/default/CURRENT ## scripted drafts through CitationQueryEngine and through the claim gate
	@$(BIN)/python evals/tamper/bench_claims.py

baseline: $(VENV)/.developing indexes/default/CURRENT ## measure anew what the gate holds changes against
	$(BIN)/curio eval run --json > evals/baseline.new.json
	mv evals/baseline.new.json evals/baseline.json

clean: ## remove the virtual environment and the bundled index
	rm -rf $(VENV) indexes/default

# Made when it is not there; a changed document is taken in by `make ingest`.
indexes/default/CURRENT: | $(VENV)/.installed
	@$(BIN)/curio ingest

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet "$(TORCH)"
	$(BIN)/pip install --quiet --editable .
	@touch $@

$(VENV)/.developing: $(VENV)/.installed
	$(BIN)/pip install --quiet --editable '.[dev]'
	@touch $@
