# Two commands to start: `make run` and `make test`. Each makes the environment in .venv first; make test adds to it.
PYTHON ?= python3
ACTIVATE = . .venv/bin/activate

.PHONY: run test coverage test-more fuzz nightly bench lint lock install publish publish-experiment

run: .venv/ready
	$(ACTIVATE) && python -m onepass check && dvc repro dvc.yaml data/dvc.yaml

test: .venv/ready-to-test
	$(ACTIVATE) && python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# The same tests, and which lines they reach; a quarter slower.
coverage: .venv/ready-to-test
	$(ACTIVATE) && python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --cov=onepass --cov=stages \
		--cov-report=term:skip-covered

# What needs servers, real photos for minutes, or many kills.
test-more: .venv/ready-to-test
	$(ACTIVATE) && python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m more

# Faults, mutations and odd images by the ten thousand, tries in any order by the hundred: hours.
fuzz: export ONEPASS_FAULTS = 1000
fuzz: export ONEPASS_SEQUENCES = 300
fuzz: export ONEPASS_MUTATIONS = 10000
fuzz: export ONEPASS_IMAGES = 30000
fuzz: .venv/ready-to-test
	$(ACTIVATE) && python -m pytest -n 2 --dist loadfile -m "more or not more" tests/hostile tests/pipeline/test_try_sequences.py

# The recipes on real photos, and whether the benchmarks run.
nightly: .venv/ready-to-test
	$(ACTIVATE) && python -m pytest -m nightly

# PHOTOS: a folder of photos to measure with, WEIGHTS: those of MobileNet; synthetic and random ones unless given. ROWS:
# some rows only. TORCH_PYTHON: a Python with PyTorch and timm. Takes two hours; better alone on the machine.
bench: .venv/ready-to-test
	$(ACTIVATE) && python -m benchmarks $(ROWS) $(if $(PHOTOS),--photos "$(PHOTOS)") \
		$(if $(WEIGHTS),--weights "$(WEIGHTS)") $(if $(TORCH_PYTHON),--torch-python "$(TORCH_PYTHON)")

lint: .venv/ready-to-test
	$(ACTIVATE) && ruff check . && ruff format --check . && lint-imports && mypy

# The pinned versions anew: the newest that pyproject.toml allows, resolved in an environment of their own; first what
# running needs, then, of the same versions, what the extras and the tests need.
lock:
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet .
	.venv-lock/bin/python -m pip freeze --exclude onepass > requirements.txt
	.venv-lock/bin/python -m pip install --quiet --constraint requirements.txt '.[dev,export,heic,hub,onnx,ray,s3,ssh]'
	.venv-lock/bin/python -m pip freeze --exclude onepass > requirements-dev.txt
	rm -r .venv-lock

# An extra of pyproject.toml: make install EXTRA=export, of the versions that the tests have run with.
install: .venv/ready
	@test -n "$(EXTRA)" || { echo "usage: make install EXTRA=export, one of export, gpu, heic, hub, onnx, ray, s3, ssh"; exit 2; }
	.venv/bin/python -m pip install --quiet --constraint requirements-dev.txt '.[$(EXTRA)]'

# Without --run-cache, a colleague who tries the same params would compute again what is on the remote.
publish: .venv/ready
	$(ACTIVATE) && python -m onepass check && dvc push --run-cache

publish-experiment: .venv/ready
	@test -n "$(NAME)" || { echo "usage: make publish-experiment NAME=..., a name that dvc exp list shows"; exit 2; }
	$(ACTIVATE) && dvc exp push --run-cache origin "$(NAME)"

.venv: .venv/ready

.venv/ready: requirements.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "onepass needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --requirement requirements.txt
	touch $@

.venv/ready-to-test: .venv/ready requirements-dev.txt
	.venv/bin/python -m pip install --quiet --requirement requirements-dev.txt
	touch $@
