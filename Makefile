# Few verbs; each line is one that anyone could type.
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed

run: $(INSTALLED)  ## install if needed, then the quick study on embedded digits
	$(BIN)/python -m search.run spaces/quickstart.yaml

# Python may be told to keep no bytecode, as containers often do. Each of the processes that the
# tests start would then compile all of this project anew.
test: $(INSTALLED) lint  ## install if needed, then ruff, mypy and pytest
	env -u PYTHONDONTWRITEBYTECODE $(BIN)/pytest

slow: $(INSTALLED)  ## the tests that make test leaves out: long ones of what others hold more cheaply
	$(BIN)/pytest -m slow

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(INSTALLED)  ## beside peers, in turns; long, and wants quiet cores and CIFAR-100 in data/
	for what in input train counting packing block joining analysis; do $(BIN)/python -m benchmarks.$$what; done

gpu: $(INSTALLED)  ## what waits for a GPU: tests, benchmarks, a study; 9 minutes a call, which go on
	$(BIN)/python -m benchmarks.gpu

faults: $(INSTALLED)  ## every line of docs/faults.md, for real; about ten minutes
	$(BIN)/pytest -m "slow or not slow" tests/faults

soak: $(INSTALLED)  ## 20 minutes of one study whose processes are killed at random
	$(BIN)/python -m benchmarks.soak

table-check: $(INSTALLED)  ## 5 % of the table that ships trained again and compared; about 5 minutes
	$(BIN)/python -m search.table --check 5%

figures: $(INSTALLED)  ## every figure of the README and the notebooks, from committed results
	$(BIN)/python -m analysis.figures

install: $(INSTALLED)

# pysodmetrics asks for an older numpy than the one that is pinned, and its scores are the same with that.
$(INSTALLED): pyproject.toml constraints.txt
	test -x $(BIN)/python || python3 -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	$(BIN)/pip install --quiet --constraint constraints.txt --no-deps pysodmetrics
	touch $@

.PHONY: run test slow lint bench gpu faults soak table-check figures install
