// Rows of a table by their numbers, and the best number of a row.
//
// Shapes: table [count, width], indices [rows] u32, to out [rows, width] f32, times `scale`;
//   logits [rows, width] f32 to tokens [rows] u32.
// Tiling: a block of 256 threads a row; the best of 512 threads a row.
// Memory traffic: each row read once and written once.
#pragma once

#include "numbers.cuh"

struct GatherArguments {
    uint64_t table, indices, out;
    uint32_t width, count;
    float scale;
    uint32_t unused;
};

constexpr int GATHER_THREADS = 256;

// A number that the table lacks gives NaN.
template <class T> FN void gather_body(Block &block, const GatherArguments &a) {
    const uint32_t index = reinterpret_cast<const uint32_t *>(a.indices)[block.x];
    const T *from = reinterpret_cast<const T *>(a.table) + static_cast<uint64_t>(index) * a.width;
    float *out = reinterpret_cast<float *>(a.out) + static_cast<uint64_t>(block.x) * a.width;
    block.phase([&](int thread) {
        for (uint32_t i = thread; i < a.width; i += block.threads)
            out[i] = index < a.count ? widen(from[i]) * a.scale : from_bits(0x7FC00000u);
    });
}

struct ArgmaxArguments {
    uint64_t logits, tokens;
    uint32_t width;
    uint32_t none; // the token of a row with a NaN in it
};

constexpr int ARGMAX_THREADS = 512;

struct Best {
    float logit;
    uint32_t token; // the lowest of equals
    uint32_t nan;   // whether any was NaN
};

FN Best better(Best one, Best other) {
    bool second = other.logit > one.logit ||
                  (other.logit == one.logit && other.token < one.token);
    Best best = second ? other : one;
    best.nan = one.nan | other.nan;
    return best;
}

FN void argmax_body(Block &block, const ArgmaxArguments &a) {
    const float *logits =
        reinterpret_cast<const float *>(a.logits) + static_cast<uint64_t>(block.x) * a.width;
    Best *bests = block.take<Best>(ARGMAX_THREADS);
    Best *runs = block.take<Best>(ARGMAX_THREADS / 16);
    const Best none = {negative_infinity(), 0xFFFFFFFFu, 0};
    block.phase([&](int thread) {
        Best best = none;
        for (uint32_t i = thread; i < a.width; i += block.threads) {
            float logit = logits[i];
            best = better(best, {logit, i, logit == logit ? 0u : 1u});
        }
        bests[thread] = best;
    });
    block.phase([&](int thread) {
        if (thread >= ARGMAX_THREADS / 16)
            return;
        Best best = none;
        for (int i = 0; i < 16; i++)
            best = better(best, bests[thread * 16 + i]);
        runs[thread] = best;
    });
    block.phase([&](int thread) {
        if (thread != 0)
            return;
        Best best = none;
        for (int i = 0; i < ARGMAX_THREADS / 16; i++)
            best = better(best, runs[i]);
        reinterpret_cast<uint32_t *>(a.tokens)[block.x] = best.nan ? a.none : best.token;
    });
}
