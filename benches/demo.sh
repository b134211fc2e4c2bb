#!/usr/bin/env bash
# The whole program: all samples with the demo checkpoint, by batch size, interleaved; seconds of each run and the median.
# The completions of every run must be the same to the byte, or nothing is reported.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-3}
cargo build --release --quiet
binary=$PWD/target/release/mwpbench
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

declare -A seconds
for round in $(seq "$rounds"); do
    for size in 1 8 auto; do
        folder=run-$size-$round
        start=$(date +%s.%N)
        "$binary" eval --model demo --batch-size "$size" --output-dir "$folder" --quiet >"$folder.table"
        end=$(date +%s.%N)
        seconds[$size]+="$(echo "$start $end" | awk '{printf "%.2f", $2 - $1}') "
        cmp "$folder/completions.jsonl" run-1-1/completions.jsonl
    done
done
for size in 1 8 auto; do
    median=$(tr ' ' '\n' <<<"${seconds[$size]}" | sed '/^$/d' | sort -n | awk '{a[NR]=$1} END {print a[int((NR+1)/2)]}')
    echo "batch size $size: median $median s of ${seconds[$size]}"
done
