# Everything that is done with this project. `make help` explains each target.
# All targets build in one profile (release), so they share one set of compiled dependencies.

BIN := target/release/tenantwatch
CARGO_FLAGS := --locked

.PHONY: help run web build test check fuzz bench evaluate clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## Build, simulate an estate with attacks, detect them, and serve the page on http://127.0.0.1:8080/
	$(BIN) demo

web: ## Build the console, web/dist, which becomes part of the binary
	@scripts/web

build: web ## Build the binary target/release/tenantwatch
	@scripts/need cc pkg:gcc
	cargo build --release $(CARGO_FLAGS) --bin tenantwatch

test: ## Everything that must pass: Rust tests, the Microsoft Graph SDK, the OpenAPI document, a real browser (installs what it needs)
	@scripts/test

check: web ## The quick gate: format, lints, unit tests, docs
	cargo fmt --all --check
	cargo clippy --release $(CARGO_FLAGS) --workspace --all-targets -- -D warnings
	@scripts/need "ls /usr/lib/postgresql/*/bin/initdb || command -v initdb" pkg:postgresql
	cargo test --release $(CARGO_FLAGS) --workspace --lib --bins
	RUSTDOCFLAGS="-D warnings" cargo doc $(CARGO_FLAGS) --release --workspace --no-deps --document-private-items

fuzz: ## A minute of each fuzz target (installs cargo-fuzz)
	@fuzz/run 60

bench: build ## Measure what docs/performance.md reports
	cargo bench $(CARGO_FLAGS) --workspace
	@benches/run

evaluate: build ## Score the detectors on a simulated estate (seed 1, 50 customers, 60 days)
	$(BIN) evaluate --seeds 1-1 --customers 50 --days 60

clean: ## Remove everything that was built or made by running
	cargo clean
	rm -rf web/dist web/node_modules tests/browser/node_modules tests/js/node_modules tests/openapi/node_modules tests/openapi/.venv tests/sdk/.venv tenantwatch-demo
