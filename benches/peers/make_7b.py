"""Make a random checkpoint of Mistral 7B's shape in bf16 (14.5 GB), in shards of four layers.

    make_7b.py FOLDER --tokenizer FOLDER_OF_ANOTHER_CHECKPOINT

For measuring memory: the weights mean nothing. One shard is in memory at a time.
"""

import argparse
import shutil
from dataclasses import replace
from pathlib import Path

from safetensors.torch import save_file

from make_checkpoints import Shape, model_config, random_weights, write_json

SHAPE = Shape("7b", 4096, 32, 32, 8, 14336)
LAYERS_A_SHARD = 4


def shards(shape):
    """Yield the tensors of each shard under their names in the whole model."""
    outer_names = ("model.embed_tokens.weight", "lm_head.weight", "model.norm.weight")
    for first in range(0, shape.layers, LAYERS_A_SHARD):
        part = random_weights(replace(shape, layers=LAYERS_A_SHARD))
        outer = {name: part.pop(name) for name in outer_names}
        named = {}
        for name, tensor in part.items():
            head, layer, tail = name.split(".", 3)[1:]
            named[f"model.{head}.{int(layer) + first}.{tail}"] = tensor
        yield (outer | named) if first == 0 else named


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tokenizer", type=Path, required=True)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    count = -(-SHAPE.layers // LAYERS_A_SHARD)
    places, size = {}, 0
    for number, tensors in enumerate(shards(SHAPE), start=1):
        file = f"model-{number:05}-of-{count:05}.safetensors"
        save_file(tensors, options.folder / file, metadata={"format": "pt"})
        places |= dict.fromkeys(tensors, file)
        size += sum(tensor.nbytes for tensor in tensors.values())
        print(file, flush=True)
    write_json(options.folder / "model.safetensors.index.json", {"metadata": {"total_size": size}, "weight_map": places})
    config = model_config(SHAPE) | {"architectures": ["MistralForCausalLM"], "model_type": "mistral", "sliding_window": None}
    write_json(options.folder / "config.json", config)
    for name in ("tokenizer.json", "tokenizer_config.json", "generation_config.json"):
        shutil.copy(options.tokenizer / name, options.folder / name)


if __name__ == "__main__":
    main()
