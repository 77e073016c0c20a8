# Everything that people and CI do here, by name. Python logic stays in Python; this file only calls it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
UV_VERSION := 0.13.9
# uv from the PATH when there is one; else our own in .tools, from the package registry.
UV := $(or $(shell command -v uv 2>/dev/null),.tools/bin/uv)
RUN := .venv/bin/
SETUP := .venv/.installed
# These are work for the processor, so they run side by side; what waits for servers is timed, and runs alone.
WITHOUT_SERVERS := tests/unit tests/properties tests/replay

.PHONY: help setup programs up down reset status test test-fast faults faults-baseline soak histories lint check generate verify clean

help: ## Show what can be made
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  \033[1m%-10s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(SETUP) ## Install the locked dependencies into .venv

.tools/bin/uv:
	@command -v $(PYTHON) >/dev/null || { echo "python3 is missing: install Python 3.11 or newer" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is too old: Python 3.11 or newer is needed (PYTHON=… names another)" >&2; exit 1; }
	@echo "setup: installing uv $(UV_VERSION) into .tools"
	@$(PYTHON) -m venv .tools && .tools/bin/pip install --quiet uv==$(UV_VERSION)

$(SETUP): pyproject.toml uv.lock $(filter .tools/bin/uv,$(UV))
	@echo "setup: installing the locked dependencies into .venv"
	@UV_PYTHON_DOWNLOADS=never $(UV) sync --frozen --all-extras --quiet
	@touch $@

up: $(SETUP) ## Start everything locally and watch the first notifications arrive
	@$(RUN)xnovu up

down: $(SETUP) ## Stop the local stack; the data stays
	@$(RUN)xnovu down

reset: $(SETUP) ## Stop the local stack and forget its data
	@$(RUN)xnovu reset

status: $(SETUP) ## Show what runs and where
	@$(RUN)xnovu status

programs: $(SETUP) ## Find or build the programs of the local stack; the first time takes a quarter of an hour
	@$(RUN)python -m xnovu_dev programs

# The programs first: building one takes longer than a test may.
test: programs ## Run every test, end to end included
	@$(RUN)pytest -n 2 --dist loadfile $(WITHOUT_SERVERS)
	@$(RUN)pytest $(addprefix --ignore=,$(WITHOUT_SERVERS))

test-fast: $(SETUP) ## Run the tests that need no servers
	@$(RUN)pytest -n 2 --dist loadfile $(WITHOUT_SERVERS)

faults-baseline: programs ## The same faults for the shape of the plan's example code (benchmarks/plan_shape)
	@$(RUN)python -m xnovu_dev.faults --full --subject plan $(FAULTS)

histories: programs ## Record the histories that tests/replay lacks; ANEW=1 records all of them again
	@cd tests && ../$(RUN)python -m support.histories $(if $(ANEW),--anew)

faults: programs ## Break everything the worker depends on, and print what was lost or sent twice (FAULTS="F1 F6" chooses)
	@$(RUN)python -m xnovu_dev.faults --full $(FAULTS)

soak: programs ## Ten minutes of load under random faults (SOAK="--seed 7 --minutes 2" changes it)
	@$(RUN)python -m xnovu_dev.faults.soak $(SOAK)

lint: $(SETUP) ## Check style, types and import rules
	@$(RUN)ruff check .
	@$(RUN)ruff format --check .
	@$(RUN)mypy
	@$(RUN)lint-imports --no-logo

generate: $(SETUP) ## Write the generated files: CRDs and reference pages
	@$(RUN)xnovu crds write

verify: $(SETUP) ## Fail where a generated file differs from its source
	@$(RUN)xnovu crds check

check: lint verify test ## Everything that CI runs

clean: ## Remove what was built here; caches of programs stay
	@if [ -e .xnovu/stack.json ] && [ -x $(RUN)xnovu ]; then $(RUN)xnovu down; fi
	@rm -rf .venv .tools .xnovu dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
