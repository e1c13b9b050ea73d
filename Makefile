PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
unexport PYTHONDONTWRITEBYTECODE  # each process of a run would compile the whole package anew

.PHONY: env demo test lint types bench beside-peers functions-page learn-page onnx-page peers

env: $(BIN)/.installed

$(BIN)/.runs: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable ".[examples]"
	touch $@

$(BIN)/.installed: $(BIN)/.runs
	$(BIN)/pip install --quiet --editable ".[test,lint,bench]"
	touch $@

demo: $(BIN)/.runs
	$(BIN)/mpc run examples/two_hospitals.py -n 2

test: env
	$(BIN)/python -m pytest -n 3

lint: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: env
	$(BIN)/mypy

bench: env
	$(BIN)/mpc bench

beside-peers: env
	$(BIN)/python -m benchmarks.beside_peers

functions-page: env
	$(BIN)/python -m benchmarks.functions_page > docs/functions.md.new
	mv docs/functions.md.new docs/functions.md

learn-page: env
	$(BIN)/python -m benchmarks.learn_page > docs/learn.md.new
	mv docs/learn.md.new docs/learn.md

onnx-page: env
	$(BIN)/python -m mpc.onnx.page > docs/onnx.md.new
	mv docs/onnx.md.new docs/onnx.md

peers: env
	$(BIN)/python -m benchmarks.peers install
