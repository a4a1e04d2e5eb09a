# Each of these sets up all it needs, in .venv and in this user's cache; a second run uses what is there.
#   make demo          a community of 2,000 people, served on this machine     ONCE=1   ask the README's questions and end
#   make test          everything a change must pass                           LINE=lts on the oldest Neo4j supported
#   make check         only format, lint, types and import rules: seconds
#   make drill         what kills, crowds and measures the service, for minutes    LINE=lts as above
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
	$(patsubst %,api/test_%.py,connections groups idempotency milestones notes overrides queries subscriptions) \
	$(patsubst %,graph/test_%.py,admission away bundle check clock format_choice load mentees migrate onboarding pairing people programmes \
		random_graphs recording scripts sessions store surveys timetable wishes world12 world12_life))
PYTEST := $(BIN)/pytest --dist=loadfile --no-loadscope-reorder --durations=15

.PHONY: demo test test-on-line test-on-lts drill check prove sbom lock clean set-up-demo set-up-test
.DEFAULT_GOAL := demo

demo: set-up-demo
	@$(BIN)/mentorgraph demo $(if $(ONCE),--once)

# Two cores and two Neo4j lines: one process tests on the oldest while the others check, then test on the current one.
test: set-up-test build/view/mentorgraph
	@$(MAKE) --no-print-directory --jobs=2 test-on-line $(if $(filter current,$(LINE)),test-on-lts)

test-on-line: check
	$(PYTEST) --numprocesses=2 -m "not slow and not drill" --line $(LINE)

# Its outcome is told as a whole, not in the middle of the others'.
test-on-lts:
	@$(PYTEST) -m "not slow and not journey and not drill" --line lts --every-statement $(ON_LTS) >build/test-on-lts.log 2>&1; \
		code=$$?; cat build/test-on-lts.log; exit $$code

drill: set-up-test
	$(PYTEST) --numprocesses=2 -m "drill and not slow" --line $(LINE)

check: set-up-test build/view/mentorgraph
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(PACKAGES:%=-p %)
	$(BIN)/mypy tests requirements/sbom.py
	$(BIN)/lint-imports --no-logo

prove: check
	$(PYTEST) --numprocesses=3 --line $(LINE) --prove build/prove-$(LINE).json
ifeq ($(LINE),current)
	$(PYTEST) --numprocesses=3 -m "store and not journey and not drill" --line lts --prove build/prove-lts.json
endif

sbom: set-up-test
	@mkdir -p build
	$(BIN)/python requirements/sbom.py build/sbom.json

lock: set-up-test
	$(COMPILE) --python-version 3.11 --group setup --output-file requirements/setup.txt
	$(COMPILE) --python-version 3.11 pyproject.toml --output-file requirements/serve.txt
	$(COMPILE) --python-version 3.11 pyproject.toml --extra embedded --output-file requirements/demo.txt
	$(COMPILE) --python-version 3.11 pyproject.toml --extra embedded --extra telemetry --group test --output-file requirements/test.txt
	$(COMPILE) --python-version 3.11 --no-deps --group text --output-file requirements/text.txt
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
