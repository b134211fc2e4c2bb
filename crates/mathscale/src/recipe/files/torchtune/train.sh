#!/usr/bin/env bash
# Trains with torchtune. The same command continues a training that was broken off, from the end of its last epoch.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

if ! command -v tune >/dev/null; then
    echo "torchtune is not installed (there is no command tune). Install it with: {{ install }}" >&2
    exit 127
fi
if [ -e output/finished ]; then
    echo "output/ is trained to its end. To train anew, move it away."
    exit 0
fi

last=
if [ -s output/recipe_state/recipe_state.pt ]; then
    last=output/recipe_state
    echo "continuing from $last"
fi

tune run --nproc_per_node {{ batch.devices }} {{ 'lora' if lora else 'full' }}_finetune_distributed --config train.yaml \
    ${last:+resume_from_checkpoint=True} "$@"
touch output/finished
