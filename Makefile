# For developers; the program itself starts with ./run and its tests with ./test.
.DEFAULT_GOAL := help
.PHONY: help install run cluster test check lint types format bench lock

PYTHON := .venv/bin/python
CHECKED := config.py wsgi.py webinar migrations tests benchmarks scripts deploy
# As one file for 3.11 and newer, on every kind of machine.
COMPILE := .venv/bin/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11

help: ## Show what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: ## Install everything needed to work on the program
	@scripts/install requirements-dev.txt
	@$(PYTHON) -m tests.components.install

run: ## Serve the demo season on PORT (8000)
	@./run

cluster: ## Serve the demo season from two nodes behind nginx; ARGS=--quick for a short one
	@test -x $(PYTHON) || scripts/install requirements-dev.txt
	@$(PYTHON) -m tests.components.install
	@$(PYTHON) -m scripts.cluster $(ARGS)

test: ## Run the whole suite; some of it: make test ARGS="tests/domain -x"
	@./test $(ARGS)

check: lint types test ## Format, lint, types, tests: what a change must pass

lint: ## Is it formatted, does the linter agree
	@scripts/install requirements-dev.txt
	@.venv/bin/ruff format --check $(wildcard $(CHECKED))
	@.venv/bin/ruff check $(wildcard $(CHECKED))

types: ## Do the types agree
	@scripts/install requirements-dev.txt
	@.venv/bin/mypy

format: ## Format the code and sort the imports
	@.venv/bin/ruff check --select I --fix --quiet $(wildcard $(CHECKED))
	@.venv/bin/ruff format $(wildcard $(CHECKED))

bench: ## Measure the hot paths and write benchmarks/RESULTS.md
	@scripts/install requirements-dev.txt
	@$(PYTHON) scripts/bench.py

lock: ## Write the requirements*.txt anew from the *.in, newest versions
	@scripts/install requirements-dev.txt
	@$(COMPILE) --upgrade requirements.in -o requirements.txt
	@$(COMPILE) --upgrade requirements-dev.in -o requirements-dev.txt -c requirements.txt
	@$(COMPILE) --upgrade requirements-uv.in -o requirements-uv.txt
