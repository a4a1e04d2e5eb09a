# Each of these sets up all it needs, in .venv and in this user's cache; a second run uses what is there.
#   make demo          a community of 2,000 people, served on this machine     ONCE=1   ask the README's questions and end
#   make test          everything a change must pass                           LINE=lts on the oldest Neo4j supported
#   make check         only format, lint, types and import rules: seconds
#   make prove         the tests with full counts, recorded in build/prove-*.json: hours
#   make sbom          what a release is made of, in CycloneDX: build/sbom.json
#   make lock          renew requirements/ from pyproject.toml                 UPGRADE=1 to the newest versions
PYTHON ?= python3
LINE ?= current

# Many processes start here, some with torch: what Python has compiled once is kept, also where images say not to.
export PYTHONDONTWRITEBYTECODE :=
export PYTHONPYCACHEPREFIX := $(CURDIR)/build/bytecode

BIN := .venv/bin
PACKAGES := mentorgraph.api mentorgraph.graph mentorgraph.embeddings mentorgraph.cypher
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header $(if $(UPGRADE),--upgrade)
# What reads and writes facts in every way, and so sends each statement; --every-statement says which one is left out.
ON_LTS := $(addprefix tests/,test_cypher_contract.py graph/embedded/test_running_database.py \
	graph/decisions/test_then_and_now.py graph/spreadsheets/test_roster.py graph/world/test_second_import.py \
	$(patsubst %,api/test_%.py,groups idempotency milestones notes overrides queries subscriptions) \
	$(patsubst %,graph/test_%.py,admission away bundle check clock format_choice load mentees migrate onboarding pairing people programmes \
		random_graphs recording scripts sessions store surveys timetable wishes world12 world12_life))
PYTEST := $(BIN)/pytest --numprocesses=3 --dist=loadfile --no-loadscope-reorder --durations=15

.PHONY: demo test check prove sbom lock clean set-up-demo set-up-test
.DEFAULT_GOAL := demo

demo: set-up-demo
	@$(BIN)/mentorgraph demo $(if $(ONCE),--once)

test: check
	$(PYTEST) -m "not slow" --line $(LINE)
ifeq ($(LINE),current)
	$(PYTEST) -m "not slow and not journey" --line lts --every-statement $(ON_LTS)
endif

check: set-up-test build/view/mentorgraph
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(PACKAGES:%=-p %)
	$(BIN)/mypy tests requirements/sbom.py
	$(BIN)/lint-imports --no-logo

prove: check
	$(PYTEST) --line $(LINE) --prove build/prove-$(LINE).json
ifeq ($(LINE),current)
	$(PYTEST) -m "store and not journey" --line lts --prove build/prove-lts.json
endif

sbom: set-up-test
	@mkdir -p build
	$(BIN)/python requirements/sbom.py build/sbom.json

lock: set-up-test
	$(COMPILE) --python-version 3.11 --group setup --output-file requirements/setup.txt
	$(COMPILE) --python-version 3.11 pyproject.toml --output-file requirements/serve.txt
	$(COMPILE) --python-version 3.11 pyproject.toml --extra embedded --output-file requirements/demo.txt
	$(COMPILE) --python-version 3.11 pyproject.toml --extra embedded --group test --output-file requirements/test.txt
	$(COMPILE) --python-version 3.11 pyproject.toml --extra train --constraints requirements/test.txt --output-file requirements/train.txt

# What was built here; the database in .mentorgraph and what the user's cache holds stay.
clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

set-up-demo set-up-test:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not installed: install Python 3.11 or newer." >&2; exit 1; }
	@$(PYTHON) api/bootstrap.py $(@:set-up-%=%)

# The folders are imported as mentorgraph.api and so on; type checkers follow this link, not the import hook.
build/view/mentorgraph:
	@mkdir -p build/view
	@ln -sfn "$(CURDIR)" $@
