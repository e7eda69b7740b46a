# Everything a contributor runs. `make help` lists it.
GO      ?= go
BIN     := bin
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
FUZZTIME ?= 10s
export CGO_ENABLED = 0

.PHONY: help up build console console-test test race e2e bench fuzz lint clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

up: build ## build everything and scan a real image
	@deploy/first-scan

build: console ## build the console and the executables into bin/
	$(GO) build -trimpath -ldflags "$(LDFLAGS)" -o $(BIN)/ ./cmd/...

console: console/dist/index.html ## build the console, where its sources changed

console/dist/index.html: console/package-lock.json console/index.html console/vite.config.ts $(shell find console/src console/public -type f 2>/dev/null)
	@if command -v npm >/dev/null; then cd console && npm ci --no-audit --no-fund --loglevel=error && npm run build --silent; \
	else echo 'npm is not on this machine: the hub is built without its console'; fi

console-test: ## check and test the console's sources
	@if command -v npm >/dev/null; then cd console && { [ -d node_modules ] || npm ci --no-audit --no-fund --loglevel=error; } && npm run --silent check && npm test --silent; \
	else echo 'npm is not on this machine: the console is not tested'; fi

test: ## vet and run every test
	$(GO) vet ./...
	$(GO) test ./...

race: ## run every test under the race detector (needs a C compiler)
	CGO_ENABLED=1 $(GO) test -race ./...

e2e: build ## scan real images with the built executable and real clients
	e2e/run

bench: build ## print speed and memory as ratios to peers and physical limits
	bench/run

fuzz: ## run every fuzz target for FUZZTIME each
	internal/fuzz/run $(FUZZTIME)

lint: ## formatting, vet, tidiness
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo 'run gofmt -w on these files'; exit 1; }
	$(GO) vet ./...
	$(GO) mod tidy -diff

clean: ## remove what was built
	rm -rf $(BIN) bench/out
