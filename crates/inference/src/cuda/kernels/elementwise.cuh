// Gated activations, and biases.
//
// Shapes: x [rows, width] f32, to which bias [width] f32 is added; gate_up [rows, 2 · width], gates then ups, to out [rows, width]; bias [2 · width] f32.
// Tiling: a block of 256 threads takes 256 packs of 16 bytes of a row.
// Memory traffic: each element read once and written once, 16 bytes at a time.
#pragma once

#include "numbers.cuh"

struct GatedArguments {
    uint64_t gate_up, bias, out;
    uint32_t width; // a multiple of 8
    uint32_t gelu;  // GELU by the tangent in place of SiLU
};

constexpr int GATED_THREADS = 256;

// x · sigmoid(x), or x · sigmoid(2 u), which is 0.5 · x · (1 + tanh u).
FN float activation(float x, bool gelu) {
    float to = x;
    if (gelu)
        to = 1.5957691216f * fused(0.044715f * x * x, x, x);
    return x / (1.0f + exponential(-to));
}

template <class T> FN void gated_body(Block &block, const GatedArguments &a) {
    constexpr int ELEMENTS = Packed<T>::COUNT;
    const int packs = a.width / ELEMENTS;
    const uint64_t row = block.y;
    const Pack *gates = reinterpret_cast<const Pack *>(a.gate_up) + row * 2 * packs;
    const Pack *ups = gates + packs;
    const float *bias = reinterpret_cast<const float *>(a.bias);
    Pack *out = reinterpret_cast<Pack *>(a.out) + row * packs;
    block.phase([&](int thread) {
        const int i = block.x * block.threads + thread;
        if (i >= packs)
            return;
        const Pack gate = gates[i], up = ups[i];
        Pack result = {{0, 0, 0, 0}};
        UNROLL for (int e = 0; e < ELEMENTS; e++) {
            float g = element<T>(gate, e), u = element<T>(up, e);
            if (bias) {
                g += bias[i * ELEMENTS + e];
                u += bias[a.width + i * ELEMENTS + e];
            }
            put<T>(result, e, activation(g, a.gelu != 0) * u);
        }
        out[i] = result;
    });
}

struct BiasArguments {
    uint64_t x, bias;
    uint32_t width, unused;
};

constexpr int BIAS_THREADS = 256;

FN void bias_body(Block &block, const BiasArguments &a) {
    float *x = reinterpret_cast<float *>(a.x) + static_cast<uint64_t>(block.y) * a.width;
    const float *bias = reinterpret_cast<const float *>(a.bias);
    block.phase([&](int thread) {
        const uint32_t i = block.x * block.threads + thread;
        if (i < a.width)
            x[i] += bias[i];
    });
}
