# A few targets; each line is a command that anyone could type.
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed

run: $(INSTALLED)  ## install if needed, then the quick study on embedded digits
	$(BIN)/python -m search.run spaces/quickstart.yaml

# Containers often tell Python to keep no bytecode (PYTHONDONTWRITEBYTECODE). Then each of the
# processes that the tests start would compile the whole project again.
test: $(INSTALLED) lint  ## install if needed, then ruff, mypy and pytest
	env -u PYTHONDONTWRITEBYTECODE $(BIN)/pytest

slow: $(INSTALLED)  ## the long tests that make test leaves out, because cheaper ones cover nearly the same
	$(BIN)/pytest -m slow

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(INSTALLED)  ## compare with peers, in turns; long, needs quiet cores and CIFAR-100 in data/
	for what in input train counting packing block joining analysis; do $(BIN)/python -m benchmarks.$$what; done

gpu: $(INSTALLED)  ## everything that needs a GPU: tests, benchmarks, a study; 9 minutes a call, each resumes the last
	$(BIN)/python -m benchmarks.gpu

faults: $(INSTALLED)  ## cause every fault of docs/faults.md for real; about ten minutes
	$(BIN)/pytest -m "slow or not slow" tests/faults

soak: $(INSTALLED)  ## run one study for 20 minutes while its processes are killed at random
	$(BIN)/python -m benchmarks.soak

table-check: $(INSTALLED)  ## train 5 % of the shipped table again and compare; about 5 minutes
	$(BIN)/python -m search.table --check 5%

figures: $(INSTALLED)  ## redraw every figure of the README and the notebooks from committed results
	$(BIN)/python -m analysis.figures

install: $(INSTALLED)

# pysodmetrics asks for an older numpy than the pinned one; its scores are the same with either.
$(INSTALLED): pyproject.toml constraints.txt
	test -x $(BIN)/python || python3 -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	$(BIN)/pip install --quiet --constraint constraints.txt --no-deps pysodmetrics
	touch $@

.PHONY: run test slow lint bench gpu faults soak table-check figures install
