#!/usr/bin/env bash
# Takes the figures that README tells, each into a file of its own: bash tests/figures.sh [FOLDER]. It takes some three hours, most of them spent waiting for
# GitHub's limits. Walls are those of this machine; requests, points and what counts are the same on every one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=${1:-target/figures}
mkdir -p "$out"
cargo build --release --locked --features parquet --example figures --example year_figures

figures() {
    local name
    name=$(IFS=_ && echo "$*")
    echo "figures $*"
    target/release/examples/figures "$@" > "$out/$name.txt"
}

for repositories in 1000 2000 20000; do
    figures "$repositories" 0 all off
    figures "$repositories" 50 all off
done
# 20,000 repositories would wait for a day.
for repositories in 1000 2000; do
    figures "$repositories" 50 all real
done
# Google Cloud: through the inventory, without it, where one project in twenty refuses, and with half a million assets.
for latency in 0 50; do
    for projects in 1 200 2000; do
        figures "$projects" "$latency" google off
    done
done
figures 200 50 google-direct off 1
figures 200 50 google-refused off
figures 2000 0 google-large off
# A year of an audit: 36.5 and 365 million verdicts.
for resources in 1000 10000; do
    echo "year 100 $resources"
    target/release/examples/year_figures 100 "$resources" > "$out/year_$resources.txt"
done
