#!/usr/bin/env bash
# Trains with axolotl. The same command continues a training that was broken off.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

if ! command -v axolotl >/dev/null || ! command -v accelerate >/dev/null; then
    echo "axolotl is not installed (there is no command axolotl). Install it with: {{ install }}" >&2
    exit 127
fi
if [ -e output/finished ]; then
    echo "output/ is trained to its end. To train anew, move it away."
    exit 0
fi

# The last checkpoint that is whole: trainer_state.json is the last file of each.
last=
for step in $(ls output 2>/dev/null | sed -n 's/^checkpoint-\([0-9][0-9]*\)$/\1/p' | sort -n); do
    if [ -s "output/checkpoint-$step/trainer_state.json" ]; then
        last=output/checkpoint-$step
    fi
done
if [ -n "$last" ]; then
    echo "continuing from $last"
fi

accelerate launch --num_machines 1 --num_processes {{ batch.devices }} --mixed_precision bf16 --dynamo_backend no \
    -m axolotl.cli.train train.yaml ${last:+--resume_from_checkpoint "$last"} "$@"
touch output/finished
