SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
# Silences npm's warnings about the machine's Node version: the package `node` provides the right one.
NPM := npm --loglevel=error --no-audit --no-fund --no-update-notifier
# The file with the settings. Services read it themselves, and again at SIGHUP; commands read it once.
CONFIG_FILE ?= local.env
NODE := node --env-file-if-exists='$(CONFIG_FILE)'
SERVICE := CONFIG_FILE='$(CONFIG_FILE)' exec node
DASHBOARDS := deploy/grafana/dashboards
INSTALLED := node_modules/.package-lock.json
PAGE_SOURCES := $(shell find cmd/web/index.html cmd/web/vite.config.ts cmd/web/build cmd/web/console cmd/web/src pkg \
  -path pkg/chat-client/dist -prune -o -type f ! -name '*.test.ts' -print)
USER_NAME := $(if $(filter command line,$(origin USER)),$(USER))

.PHONY: $(shell awk -F: '/^[a-z_-]+:.*\#\# / { print $$1 }' $(MAKEFILE_LIST))

help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z_-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: install-deps generate web local.env ## Install npm packages and the right Node, generate code, build the web page

install-deps: ## Install the npm packages of package-lock.json
	@echo 'Installing packages …'
	@$(NPM) ci

$(INSTALLED): package.json package-lock.json
	@$(MAKE) --no-print-directory setup

local.env:
	@cp local.env.example local.env
	@echo 'Created local.env from local.env.example: change settings there.'

generate: generate-chat-api ## Generate code and descriptors from api/

generate-chat-api: ## Same as generate
	@buf generate
	@buf build --exclude-source-info -o pkg/api/descriptors.json
	@buf build --exclude-source-info -o pkg/api/descriptors.binpb
	@buf build -o - | node internal/tools/openapi/main.ts pkg/api/openapi.json
	@node internal/tools/rest-routes/main.ts pkg/api/descriptors.binpb pkg/api/rest-routes.ts

web: ## Build the web page in cmd/web/dist
	@vite build --logLevel warn cmd/web

cmd/web/dist/index.html: $(PAGE_SOURCES)
	@$(MAKE) --no-print-directory web

screenshots: $(INSTALLED) cmd/web/dist/index.html ## Take screenshots of the web page into cmd/web/screenshots
	@node internal/tools/screenshots/main.ts

build-sdk: $(INSTALLED) ## Build the SDK as an npm package (JavaScript and types) in pkg/chat-client/dist
	@rm -rf pkg/chat-client/dist
	@tsc -p pkg/chat-client

vendor-proto: $(INSTALLED) ## Copy third-party .proto files from their pinned packages
	@internal/tools/vendor-proto.sh

helm: $(INSTALLED) ## Get Helm, with which `make lint` and tests check the chart (Linux on x86-64)
	@internal/tools/check-chart/get-helm.sh

up: $(INSTALLED) local.env cmd/web/dist/index.html ## Start the service
	@$(SERVICE) cmd/server/main.ts

dev: $(INSTALLED) local.env ## Start the service, and restart it when a file changes
	@$(SERVICE) --watch-path=cmd --watch-path=internal --watch-path=pkg --watch-path=migrations cmd/server/main.ts

run_dev: dev ## Same as dev

run_prod: $(INSTALLED) local.env cmd/web/dist/index.html ## Start the service in production mode: it refuses unsafe settings
	@NODE_ENV=production $(SERVICE) cmd/server/main.ts

gateway: $(INSTALLED) local.env ## Start only the HTTP gateway; it calls GATEWAY_UPSTREAMS
	@$(SERVICE) cmd/gateway/main.ts

auth-server: $(INSTALLED) local.env ## Start only the accounts and the token issuer (gRPC 50052, HTTP 8081)
	@$(SERVICE) cmd/auth-server/main.ts

message-writer: $(INSTALLED) local.env ## Start only a message-writer (requires INGEST=jetstream; health on gRPC 50053)
	@$(SERVICE) cmd/message-writer/main.ts

# The service reads ROLES as the parts to run. Here ROLES are an account's roles: only a value on make's command line counts.
account: $(INSTALLED) local.env ## Create an account or set its roles: make account NAME=alice ROLES=admin (ARGS=--list)
	@env -u ROLES $(NODE) cmd/account/main.ts $(if $(NAME),'$(NAME)') $(if $(findstring command,$(origin ROLES)),--roles '$(ROLES)') $(ARGS)

admin: $(INSTALLED) local.env ## Ask a running service: make admin ARGS='event-loop' (ARGS=--help lists the sub-commands)
	@$(NODE) cmd/admin/main.ts $(ARGS)

rotate-keys: $(INSTALLED) local.env ## Create a new key for signing tokens; existing tokens remain valid (ARGS=--now)
	@$(NODE) cmd/rotate-keys/main.ts $(ARGS)

migrate: $(INSTALLED) local.env ## Migrate the database's schema (ARGS=--down reverts the newest migration)
	@$(NODE) cmd/migrate/main.ts $(ARGS)

backup: $(INSTALLED) local.env ## Back up the database while the service runs: make backup TO=backups/monday (docs/backup.md)
	@$(NODE) cmd/backup/main.ts '$(TO)' $(ARGS)

restore: $(INSTALLED) local.env ## Restore a backup while the service is stopped: make restore FROM=backups/monday (ARGS=--replace)
	@$(NODE) cmd/restore/main.ts '$(FROM)' $(ARGS)

new-epoch: $(INSTALLED) local.env ## After a restore from a copy of the data folder: have readers look at what is gone (docs/postgresql.md)
	@$(NODE) cmd/new-epoch/main.ts $(ARGS)

ingest-switch: $(INSTALLED) local.env ## Switch INGEST of a running deployment: make ingest-switch TO=jetstream (docs/jetstream.md)
	@$(NODE) cmd/ingest-switch/main.ts '$(TO)' $(ARGS)

ingest-replay: $(INSTALLED) local.env ## Put accepted messages that were set aside back into JetStream (ARGS=--list lists them)
	@$(NODE) cmd/ingest-replay/main.ts $(ARGS)

chat: $(INSTALLED) ## Chat in the terminal: make chat USER=alice (ARGS='--addr host:port')
	@exec node cmd/chat/main.ts $(if $(USER_NAME),--user '$(USER_NAME)') $(ARGS)

dashboards: $(INSTALLED) ## Write the dashboards of internal/monitoring for Grafana
	@node internal/tools/dashboards/main.ts $(DASHBOARDS)

fmt: $(INSTALLED) ## Format all files
	@biome check --write .
	@buf format --write api

lint: $(INSTALLED) ## Check formatting, lint, import rules, types, .proto files, compose files, manifests, Helm chart, dashboards
	@biome check --error-on-warnings .
	@node internal/tools/check-imports/main.ts
	@node internal/tools/check-tests/main.ts
	@buf format --diff --exit-code api
	@buf lint
	@tsc --noEmit
	@tsc -p cmd/web --noEmit
	@node internal/tools/check-compose.ts docker-compose.yml deploy/compose.yml deploy/compose.yml+deploy/stack.yml
	@node internal/tools/check-manifests/main.ts deploy/kubernetes
	@node internal/tools/check-chart/main.ts deploy/helm/chat deploy/kubernetes/secrets.env.example
	@node internal/tools/dashboards/main.ts --check $(DASHBOARDS)

test: $(INSTALLED) ## Run the fast tests (ARGS='internal/service' selects files; SEED=1 repeats a run's random choices)
	@vitest run --project fast $(ARGS)

test-slow: $(INSTALLED) ## Run the slow tests, *.slow.test.ts (ARGS and SEED as for test)
	@vitest run --project slow $(ARGS)

# Coverage is less exact for code from Node's compile cache.
test-coverage: $(INSTALLED) ## Run the fast tests and write a coverage report to coverage/index.html
	@NODE_DISABLE_COMPILE_CACHE=1 vitest run --project fast --coverage $(ARGS)

bench: $(INSTALLED) ## Compare the service's speed with baselines in the same run (ARGS='--quick')
	@node cmd/bench/main.ts $(ARGS)

grpc-load-test: $(INSTALLED) ## Load a service with ghz over TLS; fails if any call fails (ARGS='--calls 1000')
	@node cmd/load-test/main.ts $(ARGS)

verify: $(INSTALLED) ## Check a service's guarantees with random clients: make verify ARGS='--addr host:port --http URL' (docs/verify.md)
	@node cmd/verify/main.ts $(ARGS)

chaos: $(INSTALLED) ## Check the guarantees of three nodes during injected faults: make chaos SEED=1 MINUTES=5 ARGS='--bus nats'
	@node cmd/chaos/main.ts $(if $(SEED),--seed '$(SEED)') $(if $(MINUTES),--minutes '$(MINUTES)') $(ARGS)

soak: $(INSTALLED) ## Look for what grows under load with faults: make soak MINUTES=60 ARGS='--bus nats' (docs/verify.md)
	@node cmd/soak/main.ts $(if $(SEED),--seed '$(SEED)') $(if $(MINUTES),--minutes '$(MINUTES)') $(ARGS)

stack: deploy/.env ## Start everything in Docker: three nodes behind HAProxy, Prometheus, Grafana, Jaeger (docs/monitoring.md)
	@docker compose -f deploy/compose.yml -f deploy/stack.yml up --build

# Made once, with a password of its own for each name that needs one.
deploy/.env: deploy/.env.example
	@umask 077; [ -e $@ ] || while IFS= read -r line; do \
	  case "$$line" in [A-Z]*=) line="$$line$$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')" ;; esac; \
	  echo "$$line"; \
	done <$< >$@

stack-local: $(INSTALLED) ## Start the same from local programs, without Docker and Grafana, until Ctrl-C (ARGS='--nodes 2')
	@exec node cmd/stack-local/main.ts $(ARGS)

gen-cert: $(INSTALLED) ## Create a local authority and certificates in certs/ (HOSTS=chat.example.com,10.0.0.5 ARGS=--force)
	@node cmd/gen-cert/main.ts $(if $(HOSTS),--host '$(HOSTS)') $(ARGS)

check: $(INSTALLED) ## Run all checks of CI: generated code is current, lint, fast tests, slow tests
	@$(MAKE) --no-print-directory generate
	@git diff --exit-code --stat -- pkg/api || { echo 'error: pkg/api differs from the output of `make generate`: commit it'; exit 1; }
	@$(MAKE) --no-print-directory lint
	@vitest run

clean: ## Remove installed packages and built files, but not the data
	@rm -rf node_modules coverage bench-results pkg/chat-client/dist cmd/web/dist
