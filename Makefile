# make demo: the main job on the embedded demo. make test: the whole test suite. Both set up .venv first.
# make docs: the pictures of the pages, from the source and the published results.
# make test-s3prl, make test-funasr: the upstreams s3prl:NAME, and emotion2vec: and data2vec2:, in environments of their own.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := .demo
DEMO_UPSTREAMS := chance logmel mfcc egemaps
S3PRL := $(VENV)/s3prl
FUNASR := $(VENV)/funasr
PIP := -m pip install --quiet --disable-pip-version-check

.PHONY: demo test test-s3prl test-funasr lint docs clean

demo: $(VENV)/installed
	$(BIN)/bench run $(DEMO_UPSTREAMS:%=--upstream %) --task demo --results $(DEMO)/results
	$(BIN)/bench leaderboard --results $(DEMO)/results --out $(DEMO)

test: $(VENV)/installed
	$(BIN)/python -m pytest --numprocesses auto

# BENCH_TEST_...: nothing is skipped, so that a package that is missing fails.
test-s3prl: $(S3PRL)/installed
	BENCH_TEST_S3PRL=1 $(S3PRL)/bin/python -m pytest tests/upstreams/s3prl
	$(S3PRL)/bin/bench check upstream s3prl:fbank
	$(S3PRL)/bin/bench run --upstream s3prl:fbank_no_cmvn --task demo --results $(S3PRL)/results

test-funasr: $(FUNASR)/installed
	BENCH_TEST_FUNASR=1 $(FUNASR)/bin/python -m pytest tests/upstreams/funasr tests/upstreams/pretraining/test_export.py

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell

docs: $(VENV)/installed
	$(BIN)/python docs/draw_imports.py
	$(BIN)/python docs/draw_urdu.py
	$(BIN)/python docs/draw_bridge.py
	$(BIN)/python docs/draw_findings.py
	$(BIN)/python docs/draw_hours.py

clean:
	rm -rf $(VENV) $(DEMO) build *.egg-info

# A second try cleans up what an interrupted first one left: venv and pip both mend an existing environment.
$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python $(PIP) --constraint constraints.txt --editable '.[opensmile,dev]'
	touch $@

# As `bench doctor` says: s3prl 0.4.18 needs a torchaudio before 2.9, whose libraries do not suit the torch of today and
# are deleted, so that it runs as pure Python.
$(S3PRL)/installed: pyproject.toml constraints.txt tests/environments/s3prl.txt
	$(PYTHON) -m venv $(S3PRL)
	$(S3PRL)/bin/python $(PIP) --constraint constraints.txt --requirement tests/environments/s3prl.txt --editable '.[dev]'
	$(S3PRL)/bin/python $(PIP) --no-deps torchaudio==2.8.0 s3prl==0.4.18
	rm -f $(S3PRL)/lib/python*/site-packages/torchaudio/lib/*.so
	touch $@

# Without its dependencies (recognition, servers), of which its emotion2vec uses nothing.
$(FUNASR)/installed: pyproject.toml constraints.txt tests/environments/funasr.txt
	$(PYTHON) -m venv $(FUNASR)
	$(FUNASR)/bin/python $(PIP) --constraint constraints.txt --requirement tests/environments/funasr.txt --editable '.[dev]'
	$(FUNASR)/bin/python $(PIP) --no-deps funasr==1.4.16
	touch $@
