# Everything a newcomer needs: `make demo` and `make test`. `make` alone prints this list.
.DEFAULT_GOAL := help
PY := .venv/bin/python
RUN := $(PY) -m
PYTEST := $(RUN) pytest
export CLUSTER ROOM
# a clean clone compiles everything once, and not again in every program that starts
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help
help: ## print this list
	@sh deploy/local/check-machine >/dev/null || true
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

.PHONY: setup
setup: ## environment from the lock, Kafka and PostgreSQL, hooks
	@python=$$(sh deploy/local/check-machine) && "$$python" deploy/local/prepare.py

.PHONY: demo
demo: setup ## the main job on real purchases, then a report; stops the cluster unless KEEP=1
	@$(RUN) lab.demo $(if $(KEEP),--keep)

.PHONY: up down status env
up: setup ## start the whole platform here (CLUSTER=folder: another one beside it)
	@$(RUN) cluster up
down: setup ## stop it
	@$(RUN) cluster down
status: setup ## health, restarts, consumer lag, rates, and what to do
	@$(RUN) cluster status
env: setup ## address and operator's key, for a shell: eval "$$(make -s env)"
	@$(RUN) cluster env

.PHONY: import-members replay
import-members: setup ## members from a file: FILE=members.csv [PARTY=whose references]
	@$(RUN) $(if $(FILE),cluster run -- $(RUN)) peyvand.import_members --file "$(FILE)" --party "$(PARTY)" \
		--report var/import-members.json
replay: setup ## a purchase history on the road: FILE=history.csv [ENROL=1]
	@$(RUN) $(if $(FILE),cluster run -- $(RUN)) lab.history --file "$(FILE)" $(if $(ENROL),--enrol)

.PHONY: audit
audit: setup ## the outside auditor over the running or last cluster; report in var/audit/report.json
	@$(RUN) lab.observe.audit

.PHONY: fmt check
fmt: setup ## format and fix
	@$(RUN) ruff format . && $(RUN) ruff check --fix .
check: setup ## format, lint, types, imports, layout, contracts unchanged
	@$(RUN) ruff format --check . && $(RUN) ruff check .
	@$(RUN) pyright & types=$$!; $(RUN) pyright -p pyrightconfig.tests.json & tests=$$!; \
		.venv/bin/lint-imports && $(PYTEST) -q tests/contract; rest=$$?; \
		wait $$types; types=$$?; wait $$tests && exit $$((types + rest))

.PHONY: test quick integration e2e
test: setup ## all that a push must pass, faults and 50 seeds too (CI runs it)
	@$(PYTEST) -n 2 --maxfail=20 --durations=10 --cov --cov-report= && $(RUN) support.floors
quick: setup ## parts of it: no servers
	@$(PYTEST) -n 2 contracts tests/contract $(wildcard */tests/test_domain* services/*/tests/test_domain*)
integration: setup ## kit on real servers
	@$(PYTEST) kit tests/integration
e2e: setup ## stories of the whole platform
	@$(PYTEST) tests/e2e

.PHONY: chaos bench bench-ledger bench-flood
chaos: setup ## faults by seed, for hours: 10,000 stories unless SEEDS=500
	@SEEDS=$(or $(SEEDS),10000) $(PYTEST) services/ledger/tests/test_seeds.py services/ledger/tests/test_shard_stories.py services/ledger/tests/test_simulation.py services/ledger/tests/test_between_shards.py tests/e2e/test_z_faults.py
bench: setup ## the promised numbers, against a bare road
	@$(RUN) lab.bench.road $(if $(FULL),--full)
bench-flood: setup ## what a quiet till feels of every flood, as ratios
	@$(RUN) lab.bench.road.floods
bench-ledger: setup ## the ledger against bare double entry (FULL=1: long)
	@$(RUN) lab.bench.ledger $(if $(FULL),--full)

.PHONY: contracts lock
contracts: setup ## regenerate what docs holds of topics, messages and endpoints
	@$(RUN) contracts.catalogue
	@$(RUN) contracts.schemas
	@$(RUN) contracts.access
	@$(RUN) tests.contract.openapi_file
lock: setup ## requirements.lock anew from requirements.in
	@.venv/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url \
		--no-header --python-version 3.11 --output-file requirements.lock requirements.in

.PHONY: migrate rebuild-tables logs find clean
migrate: setup ## of all rooms, or ROOM=name
	@$(RUN) cluster migrate $(ROOM)
rebuild-tables: setup ## local tables anew from their topics: ROOM=name
	@$(RUN) cluster rebuild-tables $(ROOM)
logs: setup ## of all processes, or ROOM=name; NAME=text: every line with that name
	@$(RUN) cluster logs $(ROOM) $(if $(NAME),--grep "$(NAME)")
find: setup ## one transaction by its name: NAME=3003.1.2
	@$(RUN) lab.observe.find "$(NAME)"
clean: ## remove all that git ignores, local data too
	@if [ -x $(PY) ]; then $(RUN) cluster clean; fi
	@git clean -fdXq 2>/dev/null || rm -rf .venv .cache var
