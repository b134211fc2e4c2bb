#!/usr/bin/env bash
# Trains with LLaMA-Factory. The same command continues a training that was broken off.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

if ! command -v llamafactory-cli >/dev/null{% if sharded %} || ! command -v deepspeed >/dev/null{% endif %}; then
    echo "LLaMA-Factory is not installed (there is no command llamafactory-cli{% if sharded %}, or no command deepspeed{% endif %}). Install it with: {{ install }}" >&2
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

# Without these it would use all GPUs that it sees, and the batch would be another one.
export FORCE_TORCHRUN=1 NPROC_PER_NODE={{ batch.devices }}
llamafactory-cli train train.yaml ${last:+resume_from_checkpoint="$last"} "$@"
touch output/finished
