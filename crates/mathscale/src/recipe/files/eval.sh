#!/usr/bin/env bash
# Evaluates the base model and what was trained, in the template that it was trained on, and compares the two.
# Arguments go to both evaluations, such as --tasks gsm8k,math --limit 100.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

if ! command -v mwpbench >/dev/null; then
    echo "mwpbench is not on the path" >&2
    exit 127
fi
if [ ! -e output/finished ]; then
    echo "the training has not come to its end: bash train.sh" >&2
    exit 3
fi

{{ commands.eval_base }} "$@"
{{ commands.eval }} "$@"
{{ commands.gate }}
