#!/usr/bin/env bash
# Trains with axolotl. The same command continues a training that was broken off.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

if ! command -v axolotl >/dev/null || ! command -v accelerate >/dev/null; then
    echo "axolotl is not installed (there is no command axolotl). Install it with: {{ install }}" >&2
    exit 127
fi
{{ last_checkpoint }}

accelerate launch --num_machines 1 --num_processes {{ batch.devices }} --mixed_precision bf16 --dynamo_backend no \
    -m axolotl.cli.train train.yaml ${last:+--resume_from_checkpoint "$last"} "$@"
touch output/finished
