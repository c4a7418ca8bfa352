# Needs git, make, cc, cargo and a python3 (>= 3.9) with venv. `make PYTHON=python3.13 test` picks another.
PYTHON ?= python3
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test test-all lint build docs bench fuzz soak wheels clean

help: ## print this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## set everything up, start a throw-away MariaDB, run examples/tour.py
	@$(PYTHON) -m tools.demo

test: ## lints, types, Rust's tests, and the suite on throw-away MariaDB and MySQL
	@$(PYTHON) -m tools.check

test-all: ## the same, with the whole suite on every driver and every loop
	@$(PYTHON) -m tools.check --all

lint: ## what `make test` does that needs no server
	@$(PYTHON) -m tools.check --lint

build: ## the virtual environment with the extension in it
	@$(PYTHON) -m tools.environment

docs: ## the documentation's site, in .cache/site
	@$(PYTHON) -m tools.site

bench: ## side by side with asyncmy, aiomysql and mysqlclient (ARGS="--help" tells more)
	@$(PYTHON) -m tools.bench $(ARGS)

wheels: ## a wheel for each CPython that is to be had, each tried (ARGS=--suite: on the whole suite)
	@$(PYTHON) -m tools.wheels $(ARGS)

fuzz: ## millions of hostile inputs (ARGS="--inputs 100000 rows" does less)
	@$(PYTHON) -m tools.fuzz $(ARGS)

soak: ## long work, and what the process holds meanwhile (some minutes)
	@$(PYTHON) -m tools.soak $(ARGS)

clean: ## remove what the other targets made
	rm -rf .venv .cache target dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -f python/aiomysql/_native*.so
	find python tests tools benches examples -name __pycache__ -prune -exec rm -rf {} +
