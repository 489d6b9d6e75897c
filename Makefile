# Everything a fresh clone needs is made by these targets; nothing is needed before them but
# Python 3.11 or newer. Another Python, in an environment of its own:
#   make demo PYTHON=python3.12 VENV=.venv3.12
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
export PATH := $(CURDIR)/$(BIN):$(PATH)
# A worker or a sandbox for every core: more threads than that only slow one another down.
export OMP_NUM_THREADS ?= 1

.PHONY: help env demo test verify lint docs bench agree attack attack-others free fuzz soak kills gpu clean

help:
	@echo "make env    the environment in $(VENV)"
	@echo "make demo   release a lab, grade a class, print the table"
	@echo "make test   every test"
	@echo "make verify the release gate of every lab, whole (some two hours on two cores)"
	@echo "make lint   ruff, mypy and import-linter"
	@echo "make docs   the documentation as a site, every link in it checked"
	@echo "make bench  the figures of the README"
	@echo "make kills  fifty kills in the middle of class runs, and what they leave"
	@echo "make agree  course grade and nbgrader autograde, compared on every odd submission"
	@echo "make fuzz   1,000,000 messages, 200,000 notebooks, 100,000 books of traces, none of them right (an hour)"
	@echo "make free   what answers that know nothing earn in every exercise: nothing"
	@echo "make attack hostile notebooks among honest ones: marks gained, secrets learnt, damage"
	@echo "make attack-others  the same, where it is safe, at nbgrader as it comes and at otter"
	@echo "make soak   2,000 submissions, good, broken and hostile, in one run (COUNT=… for another number)"
	@echo "make gpu    what needs a GPU, compared with the CPU"

env: $(STAMP)
	@echo "$(VENV) is ready; in every new terminal: source $(VENV)/bin/activate"

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = "%d.%d" % sys.version_info[:2]; sys.exit(sys.version_info < (3, 11) \
	  and "Python 3.11 or newer is needed, and $(PYTHON) is " + v + ": say another, PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: $(STAMP)
	$(BIN)/course demo

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadscope --durations=25

verify: $(STAMP)
	$(BIN)/course verify

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(STAMP)
	$(BIN)/sphinx-build -b html -W --keep-going -q docs build/docs
	@echo "the site is in build/docs/index.html"

bench: $(STAMP) build/otter-bench/.installed
	$(BIN)/python -m benchmarks.bench --otter build/otter-bench/bin

kills: $(STAMP)
	PYTHONPATH=tests $(BIN)/python tests/kills.py

agree: $(STAMP)
	$(BIN)/python tests/two_ways.py

free: $(STAMP)
	PYTHONPATH=tests $(BIN)/python tests/free_points.py

attack: $(STAMP)
	$(BIN)/python tests/attack.py

attack-others: $(STAMP) build/otter-env/.installed
	$(BIN)/python tests/attack_others.py build/otter-env/bin

# Otter needs other versions of what we need: an environment of its own, for that target only.
build/otter-env/.installed: $(STAMP)
	$(BIN)/python -m venv build/otter-env
	build/otter-env/bin/python -m pip install --quiet --disable-pip-version-check otter-grader==7.0.0 ipykernel
	touch $@

# For the bench its tests need the lab's libraries, too: it finds this environment's behind its own.
build/otter-bench/.installed: $(STAMP)
	$(BIN)/python -m venv build/otter-bench
	build/otter-bench/bin/python -m pip install --quiet --disable-pip-version-check otter-grader==7.0.0 ipykernel
	$(BIN)/python -c 'import sysconfig; print("$(CURDIR)", sysconfig.get_path("purelib"), sep="\n")' \
	  > "$$(build/otter-bench/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/ours.pth"
	touch $@

COUNT ?= 2000
soak: $(STAMP)
	$(BIN)/python tests/soak.py $(COUNT)

gpu: $(STAMP)
	$(BIN)/python -m pytest -s -rs tests/test_gpu.py

fuzz: $(STAMP)
	PYTHONPATH=tests $(BIN)/python tests/fuzz_wire.py
	PYTHONPATH=tests $(BIN)/python tests/fuzz_notebooks.py
	PYTHONPATH=tests $(BIN)/python tests/fuzz_traces.py

clean:
	rm -rf build .pytest_cache .mypy_cache .ruff_cache
