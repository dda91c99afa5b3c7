# Entry points; what they do is in scripts/. `make` alone lists them.

.PHONY: help demo test deb docs check check-native sim bench bench-failover \
	bench-bulk bench-ipam bench-bgp soak clean
.DEFAULT_GOAL := help

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1#/p' Makefile | column -t -s '#'

demo: ## three nodes, a cluster and a Service that answers (KEEP=1: leave it running)
	@KEEP='$(KEEP)' scripts/demo.sh

test: ## all tests, as root (SUITE=name: one of unit ... cluster metallb)
	@scripts/test.sh $(SUITE)

sim: ## the simulator for long (HOURS=n virtual cluster-hours, SEED=n the first seed)
	@HOURS='$(HOURS)' SEED='$(SEED)' scripts/sim.sh

deb: ## the Debian package, into dist/deb
	@scripts/build-deb.sh

docs: ## the pages of docs/ that are made from the code
	@node_modules/.bin/node scripts/generated-docs.ts

check: ## the fast gate: format, lint, types, rules, unit tests
	@scripts/check.sh

check-native: ## the native addon under a memory checker
	@scripts/check-native.sh

bench: ## measurements against the kernel and a C responder (JSON=file: rows for machines)
	@JSON='$(JSON)' scripts/bench.sh

bench-failover: ## ms without an answer when an owner fails (RUNS=10 ROWS=kill CLIENT=warm JSON=f)
	@JSON='$(JSON)' RUNS='$(RUNS)' ROWS='$(ROWS)' CLIENT='$(CLIENT)' scripts/bench-failover.sh

bench-bulk: ## ms until the last of 1,000 VIPs of a dead node is answered (RUNS=3 JSON=file)
	@JSON='$(JSON)' RUNS='$(RUNS)' scripts/bench-bulk.sh

bench-ipam: ## what 10,000 Services take (SERVICES=n RUNS=100 ROWS=idle JSON=file)
	@JSON='$(JSON)' SERVICES='$(SERVICES)' RUNS='$(RUNS)' ROWS='$(ROWS)' scripts/bench-ipam.sh

bench-bgp: ## ms until a router knows 1,000 addresses, and that a node died (RUNS=5 JSON=file)
	@JSON='$(JSON)' RUNS='$(RUNS)' scripts/bench-bgp.sh

soak: ## what daemons hold while much happens to them (MINUTES=60 SEED=1 JSON=file)
	@JSON='$(JSON)' MINUTES='$(MINUTES)' SEED='$(SEED)' scripts/soak.sh

clean: ## remove what was built (ALL=1: npm packages and the cached control plane too)
	@scripts/clean.sh $(if $(ALL),all)
