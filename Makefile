# make demo: the main job on the embedded demo. make test: the whole test suite. Both set up .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := .demo
DEMO_UPSTREAMS := chance logmel mfcc egemaps

.PHONY: demo test lint clean

demo: $(VENV)/installed
	$(BIN)/bench run $(DEMO_UPSTREAMS:%=--upstream %) --task demo --results $(DEMO)/results
	$(BIN)/bench leaderboard --results $(DEMO)/results --out $(DEMO)

test: $(VENV)/installed
	$(BIN)/python -m pytest --numprocesses auto

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell

clean:
	rm -rf $(VENV) $(DEMO) build *.egg-info

# A second try cleans up what an interrupted first one left: venv and pip both mend an existing environment.
$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[opensmile,dev]'
	touch $@
