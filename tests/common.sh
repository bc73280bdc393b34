# What `tests/prepare` and `tests/run` share: where things are, and how they speak. For bash, from the project's root.

target="${CARGO_TARGET_DIR:-$PWD/target}"
export CARGO_TARGET_DIR="$target"
scratch="$(mktemp -d "${TMPDIR:-/tmp}/echorift-test.XXXXXX")"

# What the tests are told by the environment: a service that speaks S3, the SFU that carries calls, Pythons with a homeserver of
# another make and with a bot in calls.
s3_version="v1.8.0" livekit_version="v1.13.5"
export ECHORIFT_TEST_S3="$target/test-tools/versitygw-$s3_version/versitygw"
export ECHORIFT_TEST_LIVEKIT="$target/test-tools/livekit-$livekit_version/livekit-server"
synapse_venv="$target/test-venv-synapse" call_bot_venv="$target/test-venv-bot"
export ECHORIFT_TEST_SYNAPSE="$synapse_venv/bin/python" ECHORIFT_TEST_BOT="$call_bot_venv/bin/python"
nio_venv="$target/test-venv" bots_venv="$target/test-venv-bots"

fail() { echo "${0##*/}: $*" >&2; exit 1; }

# Says how long the steps before it took together.
step() { printf '\n== %s (after %d:%02d min)\n' "$*" $((SECONDS / 60)) $((SECONDS % 60)); }

find_postgres() {
    postgres_bin="$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)"
    if [ -z "$postgres_bin" ] && command -v initdb >/dev/null; then
        postgres_bin="$(dirname "$(command -v initdb)")"
    fi
    [ -n "$postgres_bin" ] && [ -x "$postgres_bin/initdb" ]
}

# The stories of matrix-rust-sdk. From outside the checkout, because what .cargo/config.toml asks of our own ruma does not fit the
# SDK's.
rust_sdk_stories() {
    local manifest="$PWD/tests/clients/rust/Cargo.toml"
    (cd "$scratch" && CARGO_TARGET_DIR="$target/clients-rust" cargo test --locked --manifest-path "$manifest" "$@")
}
