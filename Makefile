# Everything that works on a fresh machine with Python 3.10+ and make: see `make help`.

PYTHON ?= python3
VENV   ?= .venv
MINUTES ?= 10
SOAK   ?= 30
AGAINST ?= main
BIN     = $(VENV)/bin
# Two more processes than processors, since most tests wait; tests/support/lanes_plugin.py keeps browsers to one on each.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 2)
PYTEST  = pytest --numprocesses=$(WORKERS) --maxprocesses=8 --dist=loadfile --no-loadscope-reorder
SOURCES = pyproject.toml $(wildcard labextension-stub/package*.json labextension-stub/src/*.ts* labextension-stub/src/*/*.ts* labextension-stub/style/* labextension-stub/schema/*)

.DEFAULT_GOAL := help
.PHONY: help demo demo-check test test-fast slowest test-oldest lab-check tools check front-end npm-package bench bench-proxy bench-broker newcomer rules configuration languages fuzz soak providers-check workers-check hub-check wall-check chart-check screenshots wheels clean

help:  ## Show what can be made
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.demo  ## Start JupyterLab with an embedded provider and API
	@$(BIN)/python -m jupyter_oidc.demo

demo-check: $(VENV)/.demo  ## Make the demo's journey unattended and report each step
	@$(BIN)/python -m jupyter_oidc.demo.check

test: $(VENV)/.test tools  ## Set everything up and run all tests
	@$(MAKE) --no-print-directory -j2 check front-end
	@$(BIN)/python .ci/find-browser > $(VENV)/.browser
	@JUPYTER_OIDC_BROWSER="$$(cat $(VENV)/.browser)" $(BIN)/$(PYTEST)

test-fast: $(VENV)/.test  ## Run what is near to your change, without a browser (90 seconds; AGAINST=main)
	@$(BIN)/python -m tests.changed --against $(AGAINST) -- --numprocesses=logical --maxprocesses=4 --dist=loadfile --no-loadscope-reorder

slowest:  ## Show the slowest files of tests of the last runs
	@head -n 31 .cache/slowest.txt 2>/dev/null || echo "No run has written .cache/slowest.txt yet: make test"

test-oldest: $(VENV)/.test tools  ## Run the tests without a browser with the oldest dependencies that are allowed
	@mkdir -p .cache
	@$(BIN)/python .ci/oldest-versions > .cache/oldest.txt
	@PIP_CONSTRAINT=$(CURDIR)/.cache/oldest.txt $(MAKE) --no-print-directory VENV=$(VENV)-oldest $(VENV)-oldest/.test
	@$(VENV)-oldest/bin/$(PYTEST) --ignore=tests/e2e

lab-check: $(VENV)/.test  ## Run the browser tests with JupyterLab 4.2 and Notebook 7.2, the oldest that are supported
	@mkdir -p .cache
	@printf 'jupyterlab==4.2.*\nnotebook==7.2.*\n' > .cache/oldest-lab.txt
	@PIP_CONSTRAINT=$(CURDIR)/.cache/oldest-lab.txt $(MAKE) --no-print-directory VENV=$(VENV)-oldest-lab $(VENV)-oldest-lab/.test
	@$(BIN)/python .ci/find-browser > $(VENV)/.browser
	@JUPYTER_OIDC_BROWSER="$$(cat $(VENV)/.browser)" $(VENV)-oldest-lab/bin/$(PYTEST) tests/e2e

tools: $(VENV)/.test  ## Get the programs from outside Python that the tests need
	@$(BIN)/python .ci/find-tools keyring
	@$(BIN)/python .ci/find-tools database
	@$(BIN)/python .ci/find-tools recipes

check: $(VENV)/.test  ## Formatting, lint, types, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

front-end: $(VENV)/.test  ## Check the types of the front end and run its unit tests
	@$(BIN)/python .ci/test-front-end

npm-package: $(VENV)/.test  ## Pack the front end for authors of extensions: dist/jupyter-oidc-labextension-VERSION.tgz
	@$(BIN)/python .ci/npm-package

bench: $(VENV)/.test  ## Measure: a server's start, a summary, many sessions, a keyring that hangs, large OpenAPI documents, and the proxy
	@$(BIN)/python -m tests.bench.startup
	@$(BIN)/python -m tests.bench.summary
	@$(BIN)/python -m tests.bench.many_sessions
	@$(BIN)/python -m tests.bench.hanging_keyring
	@$(BIN)/python -m tests.bench.openapi
	@$(MAKE) --no-print-directory bench-proxy

newcomer: $(VENV)/.test  ## Measure a newcomer's way to a first call in the demo (SETUP=1: from a fresh clone)
	@$(BIN)/python .ci/find-browser > $(VENV)/.browser
	@JUPYTER_OIDC_BROWSER="$$(cat $(VENV)/.browser)" $(BIN)/python -m tests.bench.newcomer $(if $(SETUP),--with-setup)

bench-proxy: $(VENV)/.test  ## Measure the proxy beside nginx and jupyter-server-proxy (Linux, 6 minutes)
	@$(BIN)/python .ci/find-tools benchmark
	@$(BIN)/python -m tests.bench.proxy

bench-broker: $(VENV)/.test  ## Measure a broker beside oauth2-proxy with Redis and nginx (Linux, Go, 2 minutes)
	@$(BIN)/python .ci/find-tools benchmark
	@$(BIN)/python .ci/find-tools sessions
	@$(BIN)/python -m tests.bench.broker

rules: $(VENV)/.test  ## Fill in which tests show each rule of docs/reference/rules, and list what is missing
	@$(BIN)/python -m tests.rules --write

configuration: $(VENV)/.test  ## Make what comes from the table of settings anew: reference page and JSON Schema
	@$(BIN)/python -m tests.configuration --write

languages: $(VENV)/.test  ## Write the sentences of the sources into the catalogues, and say which languages lack some
	@$(BIN)/python -m tests.languages --write

fuzz: $(VENV)/.test  ## Try the properties of the suite with new examples, then ask the proxy for anything, for MINUTES=10
	@$(BIN)/pytest -q -m hypothesis --hypothesis-profile=search tests/unit
	@$(BIN)/python -m tests.fuzz.proxy --minutes $(MINUTES)

soak: $(VENV)/.test  ## Call for half an hour while provider and API are killed and restarted (SOAK=30 minutes)
	@$(BIN)/python -m tests.soak --minutes $(SOAK)

providers-check: $(VENV)/.test  ## Make the journey at real identity providers (15 minutes, once 500 MB)
	@$(BIN)/python .ci/find-tools providers
	@$(BIN)/python -m tests.providers $(if $(WRITE),--write) $(if $(ONLY),--only=$(ONLY)) $(PROVIDERS)

workers-check: $(VENV)/.test  ## Make the journey with real engines: Dask, Ray, Spark, joblib, ipyparallel, papermill, jobs (15 minutes, once 700 MB)
	@$(BIN)/python .ci/find-tools workers
	@$(MAKE) --no-print-directory VENV=$(VENV)-workers $(VENV)-workers/.test
	@printf "Setting up: the engines (once) "
	@.ci/quietly $(VENV)-workers/bin/python -m pip install --editable '.[workers]'
	@$(VENV)-workers/bin/python -m tests.workers $(if $(ONLY),--only='$(ONLY)')

hub-check: $(VENV)/.test  ## Make the journey at a real JupyterHub (10 minutes, as root)
	@$(BIN)/python .ci/find-browser > $(VENV)/.browser
	@JUPYTER_OIDC_BROWSER="$$(cat $(VENV)/.browser)" $(BIN)/python -m tests.hub

wall-check: $(VENV)/.test  ## Try to reach a token from the side of a user of a broker, with real users (1 minute, as root)
	@$(BIN)/python -m tests.wall

chart-check: $(VENV)/.test  ## Look at the Helm chart of the broker: lint, types of Kubernetes, rules, its pods as root (1 minute, once 10; needs Go)
	@$(BIN)/python .ci/find-tools database
	@$(BIN)/python -m tests.chart

screenshots: $(VENV)/.test  ## Make the pictures of the documentation anew, in docs/images
	@$(BIN)/python .ci/find-browser > $(VENV)/.browser
	@$(BIN)/python -m pip install --quiet --editable '.[screenshots]'
	@JUPYTER_OIDC_BROWSER="$$(cat $(VENV)/.browser)" $(BIN)/python -m tests.e2e.screenshots

wheels: $(VENV)/.demo  ## Build the two wheels into dist/: all of it, and the client for kernels elsewhere
	@rm -f dist/jupyter_oidc*.whl
	@$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist . ./.ci/client

clean:  ## Remove everything that was set up or built
	@rm -rf $(VENV) $(VENV)-oldest .cache dist jupyter_oidc/labextension labextension-stub/node_modules labextension-stub/lib

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "jupyter_oidc needs Python 3.10 or later: make PYTHON=python3.12 ...")'
	@printf "Setting up: creating a virtual environment in $(VENV) (once) "
	@.ci/quietly $(PYTHON) -m venv $(VENV)
	@printf "Setting up: the newest pip "
	@.ci/quietly $(BIN)/python -m pip install --upgrade pip

$(VENV)/.demo: $(BIN)/python $(SOURCES)
	@printf "Setting up: jupyter_oidc, JupyterLab and the demo (a few minutes, once) "
	@rm -rf jupyter_oidc/labextension
	@.ci/quietly $(BIN)/python -m pip install --editable '.[demo]'
	@touch $@

$(VENV)/.test: $(BIN)/python $(SOURCES)
	@printf "Setting up: jupyter_oidc and the test tools (a few minutes, once) "
	@rm -rf jupyter_oidc/labextension
	@.ci/quietly $(BIN)/python -m pip install --editable '.[test]'
	@touch $@ $(VENV)/.demo

