# Everything that people and CI do with Ferryman. `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STATE := $(or $(FERRYMAN_HOME),.ferryman)
# The stack's addresses and keys, for every command that talks to it; variables that are set already win.
WITH_STACK := [ ! -f "$(STATE)/env" ] || . "$(STATE)/env";
KUBE_SCORE := github.com/zegl/kube-score/cmd/kube-score@v1.20.0
# Waived: CPU limits (throttling makes latency; requests share the CPU), pulling always (digests cannot move, and the platform
# starts without the registry; in tenants a policy asks for it), policies without pods (a tenant's pods come with a release).
KUBE_SCORE_FLAGS := --ignore-container-cpu-limit --ignore-test container-image-pull-policy --ignore-test networkpolicy-targets-pod
FAULTS := tests/integration/test_monitoring_faults.py
CLUSTER_FAULTS := tests/e2e/test_alerts.py
E2E := --ignore=$(CLUSTER_FAULTS) tests/e2e
NODE_CACHE := $(or $(FERRYMAN_NODE_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/ferryman/node)
ACTIONLINT := github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

DATA ?=
TEXT_COLUMN ?= text
LABEL_COLUMN ?= label
VERSION ?=
TEXT ?= A quiet, moving film that stays with you.
NAME ?=
RUNS ?=
ONLY ?=
SAMPLE ?=
IMAGES ?=
IMAGE ?=
PUSH ?=
TAG ?=
CLUSTER ?=
COSIGN ?= cosign
FILE ?=
KEY ?=

ifneq ($(TLS),)
export FERRYMAN_TLS := $(TLS)
endif

.PHONY: help
help: ## list every target
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 19

.PHONY: install
install: $(VENV)/installed ## make .venv with the locked, hash-checked packages

$(VENV)/installed: requirements/uv.txt requirements/lock.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 13) else "Ferryman needs Python 3.11, 3.12 or 3.13; set PYTHON=…")'
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	@echo "Installing the locked packages (about 1.5 GB) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip sync --quiet --require-hashes --compile-bytecode requirements/lock.txt requirements/uv.txt
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: demo
demo: up ## from nothing to two answering tenants
	@$(WITH_STACK) $(BIN)/python -m training --if-none-registered
	@$(WITH_STACK) $(BIN)/python -m registry promote --if-none
	@$(WITH_STACK) $(BIN)/python -m release wait
	@$(WITH_STACK) $(BIN)/python -m infra.local call "$(TEXT)"
	@$(WITH_STACK) $(BIN)/python -m infra.local addresses

.PHONY: demo-release
demo-release: demo ## watch a better model arrive by itself, a broken one leave by itself, an unsigned one refused
	@$(WITH_STACK) $(BIN)/python -m release.demo

.PHONY: train
train: up ## train, check, gate and register a model: DATA=file.csv|file.parquet|s3://… TEXT_COLUMN= LABEL_COLUMN=
	@$(WITH_STACK) $(BIN)/python -m training $(if $(DATA),--data "$(DATA)") --text-column "$(TEXT_COLUMN)" --label-column "$(LABEL_COLUMN)"

.PHONY: up
up: install ## start the laptop stack, or what of it does not run; with TLS=1 the gateway speaks TLS
	@$(BIN)/python -m infra.local up

.PHONY: down
down: install ## stop the stack; data stays
	@$(BIN)/python -m infra.local down

.PHONY: status
status: install ## every process, and what each tenant serves
	@$(WITH_STACK) $(BIN)/python -m infra.local status
	@$(BIN)/python -m release status

.PHONY: logs
logs: install ## the last lines of every log, or of NAME=s3|mlflow|gateway|release
	@$(BIN)/python -m infra.local logs $(NAME)

.PHONY: backup
backup: install ## the stack into one encrypted file: FILE=stack.tar.age KEY=file of the age key, made the first time
	@$(BIN)/python -m infra.backup backup --file "$(FILE)" --key "$(KEY)"

.PHONY: restore
restore: install ## an empty stack from FILE= with KEY=, and start it; with REPLACE=1 also one that holds something
	@$(BIN)/python -m infra.backup restore --file "$(FILE)" --key "$(KEY)" $(if $(REPLACE),--replace)
	@$(BIN)/python -m infra.local up

.PHONY: versions
versions: install ## every registered version, and whether it may be released
	@$(WITH_STACK) $(BIN)/python -m registry list

.PHONY: promote
promote: install ## move the alias `champion` to VERSION=n (or the newest that passed the gate) and wait for both tenants
	@$(WITH_STACK) $(BIN)/python -m registry promote $(if $(VERSION),--version "$(VERSION)")
	@$(WITH_STACK) $(BIN)/python -m release wait

.PHONY: monitor
monitor: up ## Prometheus and Alertmanager beside the stack, with every rule; `make down` stops them too
	@$(BIN)/python -m monitoring up

.PHONY: predict
predict: install ## ask both tenants over every protocol: TEXT="…"
	@$(WITH_STACK) $(BIN)/python -m infra.local call "$(TEXT)"

.PHONY: node-up
node-up: install ## one real Kubernetes node with KServe, for the end-to-end suite (Linux, root; cold about 40 minutes)
	@$(BIN)/python -m infra.node up

.PHONY: node-build
node-build: install ## build ahead what node-up needs, and start nothing
	@$(BIN)/python -m infra.node build

.PHONY: node-down
node-down: install ## stop the node and delete its cluster; programs and images stay cached
	@$(BIN)/python -m infra.node down

.PHONY: node-status
node-status: install ## every program of the node, and the controllers in its cluster
	@$(BIN)/python -m infra.node status

.PHONY: node-test
node-test: install ## prove that the node survives kill -9 and leaves nothing behind; there must be no node
	@$(BIN)/python -m pytest -p no:cacheprovider --timeout 1800 -s tests/node

.PHONY: test
test: install ## every test, on stacks of their own; under ten minutes
	@$(BIN)/python -m pytest -n logical tests/unit
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow" tests/integration

.PHONY: coverage
coverage: install ## the lines that `make test` never reaches, those of the stack's programs among them
	@$(BIN)/python -m coverage erase
	@$(BIN)/python -m pytest -n logical --cov --cov-report= tests/unit
	@$(BIN)/python -m pytest --cov --cov-append --cov-report=term -m "not slow" tests/integration

.PHONY: kind-up
kind-up: install ## a cluster in Docker with what the platform stands on, instead of the node rig (needs docker, kind, kubectl, go)
	@$(BIN)/python -m infra.kind.up

.PHONY: tenant
tenant: install ## write a third tenant, NAME=tenant-c, and apply it to the cluster of KUBECONFIG
	@$(BIN)/python -m infra.platform tenant "$(NAME)"

.PHONY: tenant-delete
tenant-delete: install ## show what goes with the tenant NAME=; with YES=1 remove it from the cluster, with FILES=1 its files too
	@$(BIN)/python -m infra.platform tenant-delete "$(NAME)" $(if $(YES),--yes) $(if $(FILES),--files)

.PHONY: train-cluster
train-cluster: install ## run the training job in the cluster of KUBECONFIG: SAMPLE=rows for a quick try
	@$(BIN)/python -m infra.platform train -- $(if $(SAMPLE),--sample "$(SAMPLE)")

.PHONY: rollout
rollout: install ## move the alias in the cluster of KUBECONFIG to VERSION=n and wait for the tenants (or NAME=tenant)
	@$(BIN)/python -m release.platforms.kubernetes --version "$(VERSION)" $(if $(NAME),--tenant "$(NAME)")

.PHONY: e2e
e2e: e2e-laptop e2e-cluster ## every slower proof, on the laptop stack and then on a cluster

.PHONY: e2e-laptop
e2e-laptop: install ## the slower proofs on the laptop stack: releases through every fault, other servers, a person at the browser
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m slow --durations=0 --ignore=$(FAULTS) tests/integration

# On a stack of its own: what other tests did to a tenant minutes before would fire as well.
.PHONY: e2e-faults
e2e-faults: install ## every fault x alert on the laptop stack, on a quiet machine; five minutes
	@$(BIN)/python -m pytest $(FAULTS)

.PHONY: chaos
chaos: install ## kill, partition, full and slow disk, wrong clocks on the laptop stack, one by one; as root on a quiet machine a quarter of an hour
	@$(BIN)/python -m pytest tests/chaos

.PHONY: e2e-cluster
e2e-cluster: install ## every promise on the cluster of KUBECONFIG and IMAGES; without, on the node rig (Linux, root)
	@[ -n "$${KUBECONFIG:-}" ] || $(BIN)/python -m infra.node up
	@[ -n "$${KUBECONFIG:-}" ] || eval "$$($(BIN)/python -m infra.node env)"; \
	    exec $(BIN)/python -m pytest --timeout 900 --junitxml=e2e-results/junit.xml $(E2E)

.PHONY: e2e-cluster-faults
e2e-cluster-faults: ## every fault x alert that only a cluster has, there; ten minutes
	@$(MAKE) e2e-cluster E2E="$(CLUSTER_FAULTS)"

.PHONY: bench
bench: install ## the predictor beside other servers, 20 minutes on a quiet machine; RUNS=5 ONLY=name
	@$(BIN)/python benchmarks/serving.py $(if $(RUNS),--runs "$(RUNS)") $(if $(ONLY),--only "$(ONLY)")

.PHONY: images
images: install ## build every image, or ONLY=name; DEBIAN=1 on a Debian made here; PUSH=registry/path pushes; see build/images
	@$(BIN)/python -m infra.images build $(if $(ONLY),--only "$(ONLY)") $(if $(DEBIAN),--debian) $(if $(PUSH),--push "$(PUSH)")

.PHONY: images-test
images-test: install ## what is in the images, and that they run as nobody on a read-only root; ONLY=name (Linux, root, runc)
	@$(BIN)/python -m pytest -p no:cacheprovider --timeout 1800 -s tests/images $(if $(ONLY),-k "$(ONLY)")

.PHONY: sbom
sbom: install ## list what IMAGE=reference holds, as CycloneDX, in build/images/NAME.cdx.json
	@$(BIN)/python -m infra.images sbom "$(NAME)" "$(IMAGE)"

# Without SIGN_FLAGS cosign asks for an identity (OIDC): the workflow's, or a person's in the browser.
.PHONY: sign-image
sign-image: ## sign IMAGE=…@sha256:… and the list of what it holds (NAME=); needs cosign
	@$(COSIGN) sign --yes $(SIGN_FLAGS) "$(IMAGE)"
	@$(COSIGN) attest --yes $(SIGN_FLAGS) --type cyclonedx --predicate "build/images/$(NAME).cdx.json" "$(IMAGE)"

.PHONY: references
references: install ## write build/images/images.json anew, with NAME= at IMAGE=…@sha256:… if that is given
	@$(BIN)/python -m infra.images references $(if $(IMAGE),"$(NAME)" "$(IMAGE)")

.PHONY: release-check
release-check: install ## whether TAG=v1.2.3 is the version of the code and stands in CHANGELOG.md; writes build/release-notes.md
	@$(BIN)/python -m infra.images.tag "$(TAG)"

.PHONY: github-release
github-release: ## write the release TAG= on GitHub, from build/; needs gh and its token
	@gh release create "$(TAG)" --verify-tag --title "$(TAG)" --notes-file build/release-notes.md build/images/images.json build/images/*.cdx.json

.PHONY: kubeconfig
kubeconfig: ## write KUBECONFIG for the EKS cluster CLUSTER=name; needs the AWS CLI and an identity
	@aws eks update-kubeconfig --name "$(CLUSTER)"

.PHONY: ci
ci: ## all that CI runs on a change: lint, docs, test, demo, e2e
	@.ci/run

.PHONY: lint
lint: install ## ruff, mypy --strict, import-linter, hadolint, actionlint, kube-score, zizmor, terraform fmt
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@git ls-files '*Dockerfile' | xargs $(BIN)/hadolint
	@if command -v go >/dev/null; then go run $(ACTIONLINT); \
	$(BIN)/python -m infra.platform render --images infra/kind/images.json | go run $(KUBE_SCORE) score --output-format ci $(KUBE_SCORE_FLAGS) - | \
	{ ! grep -v '^\[OK\]\|^\[SKIPPED\]'; }; \
	else echo "NOT RUN: actionlint and kube-score, for they need Go on PATH"; [ -z "$${CI:-}" ]; fi
	@$(BIN)/zizmor --offline --quiet .github
	@if command -v terraform >/dev/null; then terraform fmt -check -recursive infra/terraform; \
	else echo "NOT RUN: terraform fmt, for terraform is not on PATH"; fi

.PHONY: generate
generate: install ## write what is made: the kind ModelRelease, rules, routing and dashboards, the base in the Dockerfiles
	@$(BIN)/python -m release.crd > infra/platform/release/crd.yaml
	@$(BIN)/python -m monitoring generate
	@$(BIN)/python -m infra.images.base

.PHONY: docs
docs: install ## the site with every guide into build/docs; strict: no link and no heading that is not there
	@$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --fresh-env -c docs/site -d build/doctrees . build/docs
	@echo "file://$(CURDIR)/build/docs/index.html"

.PHONY: lock
lock: install ## resolve the dependencies anew into requirements/
	@for name in lock uv terraform; do \
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links \
	$$([ $$name = lock ] && echo --all-extras pyproject.toml || echo requirements/$$name.in) --output-file requirements/$$name.txt; done

.PHONY: clean
clean: ## stop the stack and delete its state, after asking
	@[ ! -x $(BIN)/python ] || $(BIN)/python -m infra.local clean $(if $(YES),--yes)
