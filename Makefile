# Everything runs from this folder: inside bot/ a pyenv shim answers for another Python.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

export RASA_TELEMETRY_ENABLED := false
export PYTHONUNBUFFERED := 1

RUN := .venv/bin
BOT := bot/.venv/bin/python
# A stamp is younger than the lock file it was installed from, so a second make costs nothing.
ROOT_READY := .venv/.installed
BOT_READY := bot/.venv/.installed

.PHONY: help demo check lint test fmt train bench bench-nlu screenshots install

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: install train ## install all, train once, start everything with sample data
	@$(RUN)/kulanz up --demo

check: install ## every check and every test, as CI runs them
	@bash toolchain/check.sh all

lint: $(ROOT_READY) ## the checks that need no server: ruff, mypy, layers, templates, words, docs
	@bash toolchain/check.sh lint

test: install train ## all tests of both environments
	@bash toolchain/check.sh test

fmt: $(ROOT_READY) ## format the code and sort the imports
	@$(RUN)/ruff check --fix --exit-zero --quiet .
	@$(RUN)/ruff format .

train: $(BOT_READY) ## train the assistant, if its data changed
	@$(BOT) bot/pipeline/train.py

bench: install train ## measure answer times and throughput against plain Rasa
	@$(RUN)/python benchmarks/turns.py

bench-nlu: install train ## measure understanding against Rasa's default pipeline (trains that for a while once)
	@$(RUN)/python -m benchmarks.nlu_compare

screenshots: install train ## take the pictures of simulator, pages, console and desk anew
	@$(RUN)/python -m toolchain.screenshots

install: $(ROOT_READY) $(BOT_READY) ## install both environments from their lock files

$(ROOT_READY): pyproject.toml uv.lock
	@bash toolchain/install.sh root
	@touch $@

$(BOT_READY): bot/pyproject.toml bot/uv.lock
	@bash toolchain/install.sh bot
	@touch $@
