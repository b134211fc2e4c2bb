// RMSNorm, alone or with the sum behind it; and plain rounding. The sum before a norm is part of the
// product that gives what is added.
//
// Shapes: x, delta [rows, width] f32, weight [width] f32, out [rows, width] in the type of the
//   activations.
// Tiling: a block of 256 threads a row; thread t has the packs of four elements t, t + 256, …
// Memory traffic a row: x (and delta) read twice, the second time from a cache; out or x written.
#pragma once

#include "numbers.cuh"

enum NormMode : uint32_t {
    NORM = 0,     // out = norm(x)
    ADD_NORM = 1, // x += norm(delta)
    ROUND = 2,    // out = x
};

struct NormArguments {
    uint64_t x, delta, weight, out;
    uint32_t width;
    uint32_t mode;
    float epsilon;
    uint32_t unused;
};

constexpr int NORM_THREADS = 256;

// `width` is a multiple of four.
template <class T> FN void norm_body(Block &block, const NormArguments &a) {
    const uint64_t start = static_cast<uint64_t>(block.x) * a.width;
    float *x = reinterpret_cast<float *>(a.x) + start;
    const float *delta = reinterpret_cast<const float *>(a.delta) + start;
    const float *weight = reinterpret_cast<const float *>(a.weight);
    T *out = reinterpret_cast<T *>(a.out) + start;
    const int packs = a.width / 4;
    float *scratch = block.take<float>(NORM_THREADS + NORM_THREADS / 16);
    const float *normed = a.mode == ADD_NORM ? delta : x;

    PerThread<float> squares;
    block.phase([&](int thread) {
        float sum = 0.0f;
        for (int i = thread; i < packs; i += block.threads) {
            Pack value = reinterpret_cast<const Pack *>(normed)[i];
            for (int e = 0; e < 4; e++)
                sum = fused(element<float>(value, e), element<float>(value, e), sum);
        }
        squares(thread) = sum;
    });
    const float mean = sum_of_threads(block, squares, scratch) / static_cast<float>(a.width);
    const float factor = a.mode == ROUND ? 1.0f : 1.0f / sqrtf(mean + a.epsilon);
    block.phase([&](int thread) {
        for (int i = thread; i < packs; i += block.threads) {
            Pack value = reinterpret_cast<const Pack *>(normed)[i];
            Pack sum = reinterpret_cast<const Pack *>(x)[i];
            for (int e = 0; e < 4; e++) {
                float scaled = element<float>(value, e) * factor;
                if (a.mode != ROUND)
                    scaled *= weight[i * 4 + e];
                if (a.mode == ADD_NORM)
                    put<float>(sum, e, element<float>(sum, e) + scaled);
                else
                    out[i * 4 + e] = narrow<T>(scaled);
            }
            if (a.mode == ADD_NORM)
                reinterpret_cast<Pack *>(x)[i] = sum;
        }
    });
}
