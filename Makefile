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
