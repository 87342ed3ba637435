# How Pochi is built, run and tested.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS   += --no-builtin-rules --no-print-directory
.DELETE_ON_ERROR:

# SQLite without loadable extensions, in the wallet and in Hydra.
TAGS       := sqlite_omit_load_extension
HYDRA_TAGS := sqlite,$(TAGS)

# What bin/pochi is made of: every file but tests and what npm brought for the build.
SOURCES := go.mod go.sum $(shell find app db ilp ledger static views \
	-name node_modules -prune -o -type f ! -name '*_test.go' -print 2>/dev/null)
HTMX    := static/vendor/htmx.min.js
# The last that npm writes below e2e: the browser tests' driver and the independent implementations of Interledger.
PEERS   := e2e/node_modules/package/cli.js

# How long make fuzz stays with each fuzz test, and where they are.
FUZZTIME ?= 20s
FUZZED   ?= app db ilp ledger views

.PHONY: help
help: ## this list
	@echo "Pochi, an Interledger wallet. Data is kept in ./data; the variables are in README.md."
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

.PHONY: run
run: preflight bin/pochi bin/hydra bin/hivemind ## build what is missing, start Hydra and the wallet, print the URL; Ctrl-C stops all
	@exec tools/run

.PHONY: demo
demo: demo-preflight bin/pochi bin/hydra bin/hivemind bin/shop ## two wallets that are each other's peers, with people in two currencies, and a shop; in ./data/demo; Ctrl-C stops all
	@exec tools/demo

.PHONY: build
build: bin/pochi bin/hydra bin/hivemind ## bin/pochi, bin/hydra and bin/hivemind, nothing started

.PHONY: test
test: check unit short-fuzz browser ## everything that CI runs: format, vet, staticcheck, generated code, modules, unit tests, a moment of fuzzing, browser tests

.PHONY: test-crash
test-crash: ## kill the ledger 300 times and cut its power hundreds of times, at random moments, and look at what is left
	@POCHI_CRASH_KILLS=300 POCHI_POWER_SEEDS=60 go test -tags $(TAGS) -count=1 -timeout 20m -v -run '^(TestKill|TestPowerLoss)$$' ./ledger

.PHONY: bench
bench: $(HTMX) $(PEERS) ## every Go benchmark, as a table on the screen and in bench.tsv: name, figure, unit, reference, its figure, ratio
	@go test -tags $(TAGS) -p 1 -timeout 30m -run '^$$' -bench . ./... | awk -f tools/bench.awk | tee bench.tsv

.PHONY: fuzz
fuzz: $(HTMX) ## every fuzz test, one after another, each for FUZZTIME (20s); an input that fails is kept in its testdata/fuzz
	@for file in $$(grep -rl --include='*_test.go' --exclude-dir=node_modules '^func Fuzz' $(FUZZED)); do \
		for name in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9]*\)(.*/\1/p' $$file); do \
			echo "$$name, $${file%/*}"; \
			go test -tags $(TAGS) -run '^$$' -fuzz "^$$name$$" -fuzztime $(FUZZTIME) ./$${file%/*} | sed -n '/^ok/!p'; \
		done; \
	done

.PHONY: generate
generate: ## the Go code of the templates, after a change in views/
	go tool templ fmt views
	go tool templ generate

.PHONY: clean
clean: ## remove what was built and fetched; ./data stays
	rm -rf bin bench.tsv $(HTMX) static/node_modules e2e/node_modules e2e/screenshots

# What is built ########################################################################################################

bin/pochi: $(SOURCES) $(HTMX) | programs
	@echo "Building the wallet; the first time this takes about a minute…"
	@tools/patiently "building the wallet" go build -tags $(TAGS) -o $@ ./app && touch $@

bin/shop: go.mod go.sum $(wildcard e2e/shop/*.go e2e/shop/pages/*) $(shell find ilp -name '*.go' ! -name '*_test.go') | programs
	@go build -o $@ ./e2e/shop && touch $@

bin/hydra: tools/go.mod tools/go.sum $(filter-out %_test.go,$(wildcard tools/hydra/*.go)) | programs
	@echo "Building Ory Hydra from source; the first time this takes about three minutes…"
	@cd tools && ./patiently "building Ory Hydra" go build -tags $(HYDRA_TAGS) -o ../$@ ./hydra && touch ../$@

bin/hivemind: tools/go.mod tools/go.sum | programs
	@echo "Building hivemind, which runs the Procfile…"
	@cd tools && go build -o ../$@ github.com/DarthSim/hivemind && touch ../$@

$(HTMX): static/package-lock.json | programs
	@echo "Fetching htmx…"
	@npm ci --prefix static --ignore-scripts --no-audit --no-fund --silent
	@mkdir -p $(@D) && cp static/node_modules/htmx.org/dist/htmx.min.js $@

$(PEERS): e2e/package-lock.json | programs
	@echo "Fetching what the tests need from npm…"
	@npm ci --prefix e2e --ignore-scripts --no-audit --no-fund --silent
	@touch $@

# What must be there before ############################################################################################

.PHONY: programs preflight demo-preflight
programs:
	@tools/preflight build

preflight:
	@tools/preflight run

demo-preflight:
	@tools/demo preflight

# The parts of `make test` #############################################################################################

.PHONY: check format vet generated tidy unit short-fuzz browser
check: format vet generated tidy

format:
	@echo "gofmt"
	@unformatted=$$(gofmt -l $(wildcard app db e2e ilp ledger static/*.go tools views)); \
		[ -z "$$unformatted" ] || { echo "not formatted (gofmt -w): $$unformatted"; exit 1; }

vet: $(HTMX)
	@echo "go vet, staticcheck"
	@go vet -tags $(TAGS) ./...
	@go tool staticcheck -tags $(TAGS) ./...
	@cd tools && go vet -tags $(HYDRA_TAGS) ./...

# Generated into a copy, so that a checkout with changes of its own is compared, and left, as it is.
generated:
	@echo "templ fmt, templ generate"
	@copy=$$(mktemp -d); trap 'rm -rf "$$copy"' EXIT; cp -r views "$$copy/views"; \
		go tool templ fmt -log-level error "$$copy/views"; \
		go tool templ generate -log-level error -path "$$copy"; \
		diff -rq views "$$copy/views" || { echo "the templates or their Go code are stale: make generate"; exit 1; }

tidy:
	@echo "go mod tidy"
	@go mod tidy -diff
	@cd tools && go mod tidy -diff

unit: $(HTMX) $(PEERS) bin/hydra
	@echo "go test -race"
	@HYDRA_BIN=$(CURDIR)/bin/hydra go test -tags $(TAGS) -race ./...
	@cd tools && go test -tags $(HYDRA_TAGS) ./...

# What strangers send is read by the decoders below ilp. Inputs are counted, about a second's each: when its time is up,
# go test now and then takes that for a failure.
short-fuzz: $(HTMX)
	@$(MAKE) fuzz FUZZTIME=10000x FUZZED=ilp

browser: bin/pochi bin/hydra bin/hivemind bin/shop $(PEERS)
	@tools/chromium
	@echo "Browser tests; screenshots go to e2e/screenshots"
	@POCHI_E2E=1 go test -tags $(TAGS) -count=1 -timeout 15m ./e2e
