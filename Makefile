# Two commands to start: `make run` and `make test`. Both make the environment in .venv first.
PYTHON ?= python3
ACTIVATE = . .venv/bin/activate

.PHONY: run test lint

run: .venv/ready
	$(ACTIVATE) && dvc repro

test: .venv/ready
	$(ACTIVATE) && python -m pytest

lint: .venv/ready
	$(ACTIVATE) && ruff check . && ruff format --check . && mypy

.venv: .venv/ready

.venv/ready: requirements.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "onepass needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --requirement requirements.txt
	touch $@
