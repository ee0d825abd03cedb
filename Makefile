# Two commands do everything: `make run` and `make test`.
.PHONY: run test setup lint

VENV := .venv/bin

run: setup
	@tools/run.sh

test: export SINGALIKE_TEST_SETUP = 1
test: setup lint
	@$(VENV)/pytest -q

lint: setup
	@$(VENV)/ruff check .
	@$(VENV)/ruff format --check .
	@$(VENV)/mypy
	@$(VENV)/lint-imports

setup:
	@tools/setup.sh

.PHONY: fuzz audit

# 50,000 broken files through all of the program; its report goes to build/fuzz. Half an hour.
fuzz: setup
	@$(VENV)/python -m tools.fuzz --inputs 50000 --out build/fuzz

# Known weaknesses of what is installed. Needs the network: it asks PyPI's advisory service.
audit: setup
	@tools/audit.sh
