#!/usr/bin/env bash
# Sets up what the tests need, then formats, lints, builds and tests everything. Needs Rust, npm, OpenSSL and Python 3.12 or later with pip; fetches from their registries only.
set -euo pipefail
cd "$(dirname "$0")/.."

export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never} INSTA_UPDATE=no
step() { printf '\n== %s\n' "$1"; }

step "vendors' contracts"
bash tests/setup.sh
# From here on a missing contract is a failure, not a skip.
export CI=true

step "format"
cargo fmt --check

step "lint"
cargo clippy --quiet --all-targets --locked --features parquet -- -D warnings

step "the build without Parquet"
cargo check --quiet --locked

step "test"
cargo test --locked --features parquet

step "the demonstration"
cargo run --quiet --locked --features parquet --example demo

step "shell scripts parse"
bash -n tests/run.sh tests/setup.sh .ci/run
echo "all good"
