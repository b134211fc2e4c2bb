#!/usr/bin/env bash
# Trains with LLaMA-Factory. The same command continues a training that was broken off.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

if ! command -v llamafactory-cli >/dev/null{% if sharded %} || ! command -v deepspeed >/dev/null{% endif %}; then
    echo "LLaMA-Factory is not installed (there is no command llamafactory-cli{% if sharded %}, or no command deepspeed{% endif %}). Install it with: {{ install }}" >&2
    exit 127
fi
{{ last_checkpoint }}

# Without these it would use all GPUs that it sees, and the batch would be another one.
export FORCE_TORCHRUN=1 NPROC_PER_NODE={{ batch.devices }}
llamafactory-cli train train.yaml ${last:+resume_from_checkpoint="$last"} "$@"
touch output/finished
