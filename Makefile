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

.PHONY: faults soak use

# Every fault, and 240 kills instead of 20. Ten minutes.
faults: export SINGALIKE_KILLS = 240
faults: setup
	@$(VENV)/pytest -q tests/faults

# Indexing, searching and changing files at random: make soak MINUTES=60 SEED=0
soak: setup
	@PYTHONPATH=tests:. $(VENV)/python -m faults.soak --minutes $(or $(MINUTES),60) --seed $(or $(SEED),0)

# The window used at random, with 100,000 songs: make use MINUTES=60 SEED=0
use: setup
	@PYTHONPATH=tests:benchmarks:. $(VENV)/python -m tools.use --minutes $(or $(MINUTES),60) --seed $(or $(SEED),0)

.PHONY: bundle

# The application as a folder and an archive in dist, built in an environment of its own and tested.
bundle:
	@sh tools/bundle.sh

.PHONY: figures

# Measures models again and writes the tables of the docs: DATA=tracks.csv make figures (docs/results.md says which)
figures: setup
	@$(VENV)/python -m tools.figures $(if $(DATA),--data $(DATA))
