SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
# npm speaks up about the machine's own Node, which does not matter: the package `node` brings the right one.
NPM := npm --loglevel=error --no-audit --no-fund --no-update-notifier
NODE := node --env-file-if-exists=local.env
INSTALLED := node_modules/.package-lock.json
USER_NAME := $(if $(filter command line,$(origin USER)),$(USER))

.PHONY: help setup install-deps generate generate-chat-api build-sdk vendor-proto up dev gateway auth-server message-writer account rotate-keys migrate chat web screenshots fmt lint test test-slow test-coverage bench grpc-load-test verify chaos gen-cert check clean

help: ## Show what there is
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: install-deps generate web local.env ## Install everything: npm packages, the right Node, generated code, the web page

install-deps: ## Install the npm packages exactly as locked
	@echo 'Installing packages …'
	@$(NPM) ci

$(INSTALLED): package.json package-lock.json
	@$(MAKE) --no-print-directory setup

local.env:
	@cp local.env.example local.env
	@echo 'Made local.env from local.env.example: settings go there.'

generate: generate-chat-api ## Generate code and descriptors from api/

generate-chat-api: ## The same: there is one API
	@buf generate
	@buf build --exclude-source-info -o pkg/api/descriptors.json
	@buf build --exclude-source-info -o pkg/api/descriptors.binpb
	@buf build -o - | node internal/tools/openapi/main.ts pkg/api/openapi.json
	@node internal/tools/rest-routes/main.ts pkg/api/descriptors.binpb pkg/api/rest-routes.ts

web: ## Build the web page in cmd/web/dist
	@vite build --logLevel warn cmd/web

cmd/web/dist/index.html:
	@$(MAKE) --no-print-directory web

screenshots: $(INSTALLED) cmd/web/dist/index.html ## Take the pictures of the web page in cmd/web/screenshots
	@node internal/tools/screenshots/main.ts

build-sdk: $(INSTALLED) ## Build the SDK as an npm package: plain JavaScript and types in pkg/chat-client/dist
	@rm -rf pkg/chat-client/dist
	@tsc -p pkg/chat-client

vendor-proto: $(INSTALLED) ## Copy third-party .proto files from their pinned packages
	@internal/tools/vendor-proto.sh

up: $(INSTALLED) local.env cmd/web/dist/index.html ## Start the service
	@exec $(NODE) cmd/server/main.ts

dev: $(INSTALLED) local.env ## Start the service, again whenever a file changes
	@exec $(NODE) --watch-path=cmd --watch-path=internal --watch-path=pkg --watch-path=migrations cmd/server/main.ts

gateway: $(INSTALLED) local.env ## Start the HTTP gateway by itself, in front of GATEWAY_UPSTREAMS
	@exec $(NODE) cmd/gateway/main.ts

auth-server: $(INSTALLED) local.env ## Start accounts and token issuer by themselves (gRPC 50052, HTTP 8081)
	@exec $(NODE) cmd/auth-server/main.ts

message-writer: $(INSTALLED) local.env ## Start a writer of accepted messages by itself (INGEST=jetstream; health on gRPC 50053)
	@exec $(NODE) cmd/message-writer/main.ts

# To the service ROLES are something else: here they count only if given to make, and are not passed on.
account: $(INSTALLED) local.env ## Make an account or set its roles: make account NAME=alice ROLES=admin (ARGS=--list)
	@env -u ROLES $(NODE) cmd/account/main.ts $(if $(NAME),'$(NAME)') $(if $(findstring command,$(origin ROLES)),--roles '$(ROLES)') $(ARGS)

rotate-keys: $(INSTALLED) local.env ## Make a new key for signing tokens; those of the old one stay good
	@$(NODE) cmd/rotate-keys/main.ts $(ARGS)

migrate: $(INSTALLED) local.env ## Bring the database's schema up to date (ARGS=--down takes the newest migration back)
	@$(NODE) cmd/migrate/main.ts $(ARGS)

chat: $(INSTALLED) ## Chat in the terminal: make chat USER=alice (ARGS='--addr host:port')
	@exec node cmd/chat/main.ts $(if $(USER_NAME),--user '$(USER_NAME)') $(ARGS)

fmt: $(INSTALLED) ## Format everything
	@biome check --write .
	@buf format --write api

lint: $(INSTALLED) ## Formatting, lint, import rules, types, .proto files, compose files, manifests
	@biome check --error-on-warnings .
	@node internal/tools/check-imports/main.ts
	@buf format --diff --exit-code api
	@buf lint
	@tsc --noEmit
	@tsc -p cmd/web --noEmit
	@node internal/tools/check-compose.ts docker-compose.yml deploy/compose.yml
	@node internal/tools/check-manifests/main.ts deploy/kubernetes

test: $(INSTALLED) ## The fast tests (ARGS='internal/service' for some; SEED=1 for the random choices of another run)
	@vitest run --project fast $(ARGS)

test-slow: $(INSTALLED) ## The tests that are slow by nature: *.slow.test.ts (ARGS and SEED as for test)
	@vitest run --project slow $(ARGS)

# A program that comes from Node's compile cache is counted less exactly.
test-coverage: $(INSTALLED) ## The fast tests, with a report in coverage/index.html
	@NODE_DISABLE_COMPILE_CACHE=1 vitest run --project fast --coverage $(ARGS)

bench: $(INSTALLED) ## Measure speed against baselines in the same run (ARGS='--quick')
	@node cmd/bench/main.ts $(ARGS)

grpc-load-test: $(INSTALLED) ## Let ghz call a service with TLS; fails when any call fails (ARGS='--calls 1000')
	@node cmd/load-test/main.ts $(ARGS)

verify: $(INSTALLED) ## Have random clients check that a service keeps its promises: make verify ARGS='--addr host:port --http URL' (see docs/verify.md)
	@node cmd/verify/main.ts $(ARGS)

chaos: $(INSTALLED) ## The same against three nodes while everything is broken on purpose: make chaos SEED=1 MINUTES=5 ARGS='--bus nats'
	@node cmd/chaos/main.ts $(if $(SEED),--seed '$(SEED)') $(if $(MINUTES),--minutes '$(MINUTES)') $(ARGS)

gen-cert: $(INSTALLED) ## Make a local authority and certificates in certs/ (HOSTS=chat.example.com,10.0.0.5 ARGS=--force)
	@node cmd/gen-cert/main.ts $(if $(HOSTS),--host '$(HOSTS)') $(ARGS)

check: $(INSTALLED) ## Exactly what CI runs: generated code is current, lint, fast tests, slow tests
	@$(MAKE) --no-print-directory generate
	@git diff --exit-code --stat -- pkg/api || { echo 'error: pkg/api is not what `make generate` makes: commit it'; exit 1; }
	@$(MAKE) --no-print-directory lint
	@vitest run

clean: ## Remove what was installed or made, but not the data
	@rm -rf node_modules coverage bench-results pkg/chat-client/dist cmd/web/dist
