"""Round the weights of a GGUF file to Q8_0 with llama.cpp.

    quantize.py INPUT.gguf OUTPUT.gguf
"""

import ctypes
import sys

import llama_cpp


def main():
    source, target = (path.encode() for path in sys.argv[1:3])
    parameters = llama_cpp.llama_model_quantize_default_params()
    parameters.ftype = llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0
    if llama_cpp.llama_model_quantize(source, target, ctypes.byref(parameters)) != 0:
        sys.exit(f"{sys.argv[1]} cannot be quantized")


if __name__ == "__main__":
    main()
