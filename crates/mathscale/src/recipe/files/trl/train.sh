#!/usr/bin/env bash
# Trains with TRL. The same command continues a training that was broken off.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

if ! command -v trl >/dev/null; then
    echo "TRL is not installed (there is no command trl). Install it with: {{ install }}" >&2
    exit 127
fi
{{ last_checkpoint }}

trl sft --config train.yaml --accelerate_config accelerate.yaml ${last:+--resume_from_checkpoint "$last"} "$@"
touch output/finished
