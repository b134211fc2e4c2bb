"""llama.cpp's own converter from checkpoints to GGUF, told the kind of a tokenizer that it does not know.

    official_converter.py LLAMA_CPP_FOLDER KIND [ARGUMENTS OF convert_hf_to_gguf.py]

The converter knows published byte-level tokenizers by a hash of what they make of a text. KIND is `llama-bpe`, `qwen2`,
or `-` for a tokenizer that it need not know.
"""

import sys


def main():
    folder, kind, *sys.argv[1:] = sys.argv[1:]
    sys.path.insert(0, folder)
    import convert_hf_to_gguf
    from conversion.base import TextModel

    if kind != "-":
        TextModel.get_vocab_base_pre = lambda _self, _tokenizer: kind
    convert_hf_to_gguf.main()


if __name__ == "__main__":
    main()
