# The commands to remember. Each is a thin name for the real one, which stands beside it.

CARGO_TARGET_DIR ?= $(CURDIR)/target
export CARGO_TARGET_DIR
TOOLS := $(CARGO_TARGET_DIR)/tools

.PHONY: help run demo test e2e lint bench docs
.DELETE_ON_ERROR:

help:
	@echo "make run    build the client and the server and start it on http://127.0.0.1:8008 (data in ./data)"
	@echo "make demo   the same with a sample company's directory, rooms and three accounts, in a temporary folder"
	@echo "make test   every test, on SQLite and PostgreSQL, with real clients; installs what it needs"
	@echo "make e2e    the web client's stories in a browser, against the real server"
	@echo "make lint   formatting and lints, warnings denied"
	@echo "make bench  the load generator's scenarios against the release build; writes docs/performance.md"

run: require-cargo livekit client
	cargo build --release --locked -p echorift
	@echo "EchoRift will answer on http://127.0.0.1:8008 (stop it with Ctrl-C)."
	PATH="$$PATH:$(TOOLS)" "$(CARGO_TARGET_DIR)/release/echorift" serve $(if $(wildcard echorift.toml),--config echorift.toml)

demo: require-cargo livekit client
	cargo build --release --locked -p echorift
	PATH="$$PATH:$(TOOLS)" tests/demo/run "$(CARGO_TARGET_DIR)/release/echorift"

test: require-cargo
	tests/run

e2e: require-cargo livekit client tests/clients/calls/node_modules/.package-lock.json
	cargo build --locked --workspace
	cd client && PATH="$$PATH:$(TOOLS)" ECHORIFT_BIN="$(CARGO_TARGET_DIR)/debug/echorift" npm run e2e

# How the Rust code is looked over; `.ci/run` has its build do that.
CLIPPY ?= cargo clippy --workspace --all-targets --locked -- -D warnings
lint: require-cargo lint-client
	cargo fmt --all --check
	cargo fmt --manifest-path tests/clients/rust/Cargo.toml --check
	$(CLIPPY)

bench: require-cargo
	cargo build --release --locked -p echorift
	tests/bench/run "$(CARGO_TARGET_DIR)/release/echorift"

# The SFU that carries calls: the one on the path, or one that Go builds. Without either there are no calls, and all else runs.
LIVEKIT := v1.13.5
.PHONY: livekit
livekit:
	@command -v livekit-server >/dev/null || [ -x "$(TOOLS)/livekit-server" ] || \
	if ! command -v go >/dev/null; then \
		echo "There will be no voice and video: install Go 1.26 (https://go.dev/dl) or livekit-server, and try again."; \
	elif echo "Building livekit-server $(LIVEKIT), which carries voice and video." && \
		GOBIN="$(TOOLS)" go install github.com/livekit/livekit-server/cmd/server@$(LIVEKIT); then \
		mv "$(TOOLS)/server" "$(TOOLS)/livekit-server"; \
	else \
		echo "There will be no voice and video: livekit-server could not be built; Go's words are above."; \
	fi

# The web client, by npm into client/dist, from where the server takes it: with the next build of a release, and at once otherwise.
# Without Node.js a page tells browsers so, and all else runs.
.PHONY: client lint-client
IS_NODE_FIT := process.versions.node.localeCompare("20.19", "en", { numeric: true }) >= 0
ifeq ($(shell command -v npm >/dev/null && node -p '$(IS_NODE_FIT)' 2>&1),true)
client: client/dist/index.html
lint-client: client/node_modules/.package-lock.json
	cd client && npm run check && npm run lint
else
client:
	@mkdir -p client/dist
	@echo "There will be no web client: install Node.js 20.19 or later with npm (https://nodejs.org), and try again."
lint-client:
	@echo "The web client is not looked over: install Node.js 20.19 or later with npm (https://nodejs.org), and try again."
endif

client/node_modules/.package-lock.json: client/package-lock.json
	cd client && npm ci --no-audit --no-fund
	@touch $@

# Element Call, which the web client's stories meet.
tests/clients/calls/node_modules/.package-lock.json: tests/clients/calls/package-lock.json
	cd tests/clients/calls && npm ci --no-audit --no-fund
	@touch $@

client/dist/index.html: client/node_modules/.package-lock.json $(shell find client/src client/public client/scripts -type f) \
		client/index.html client/vite.config.ts client/tsconfig.json
	cd client && npm run build

# Rewrites the generated parts of docs/: the table of settings, the list of endpoints, the administration API.
docs:
	python3 tests/configuration.py
	python3 tests/conformance.py
	cargo run --quiet --locked --package echorift-admin --example openapi > docs/admin-api.json

.PHONY: require-cargo
require-cargo:
	@command -v cargo >/dev/null || { echo "cargo is missing: install Rust from https://rustup.rs and try again." >&2; exit 1; }
