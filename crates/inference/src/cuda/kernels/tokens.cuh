// Rows of a table by their numbers, and the best number of a row.
//
// Shapes: table [count, width], indices [rows] u32, to out [rows, width] f32, times `scale`; an index
//   with the highest bit set is a place in `chosen` [rows of the step before] u32, where that is
//   given; logits [rows, width] f32 to tokens [rows] u32.
// Tiling: a block of 256 threads a row; the best of 512 threads a row.
// Memory traffic: each row read once and written once.
#pragma once

#include "numbers.cuh"

struct GatherArguments {
    uint64_t table, indices, out, chosen;
    uint32_t width, count;
    float scale;
    uint32_t unused;
};

constexpr int GATHER_THREADS = 256;
constexpr uint32_t CHOSEN = 0x80000000u;

// The index of a row, which may be a place among chosen ones.
FN uint32_t index_of(uint64_t indices, uint64_t chosen, int row) {
    const uint32_t index = reinterpret_cast<const uint32_t *>(indices)[row];
    return chosen && index & CHOSEN ? reinterpret_cast<const uint32_t *>(chosen)[index & ~CHOSEN]
                                    : index;
}

// A number that the table lacks gives NaN.
template <class T> FN void gather_body(Block &block, const GatherArguments &a) {
    const uint32_t index = index_of(a.indices, a.chosen, block.x);
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

// The best of a row, for all threads of the block; `bests` has room for one a thread, `runs` for one
// every 16 of them.
FN Best best_of_row(Block &block, const float *logits, uint32_t width, Best *bests, Best *runs) {
    const Best none = {negative_infinity(), 0xFFFFFFFFu, 0};
    const int count = block.threads / 16;
    block.phase([&](int thread) {
        Best best = none;
        for (uint32_t i = thread; i < width; i += block.threads) {
            float logit = logits[i];
            best = better(best, {logit, i, logit == logit ? 0u : 1u});
        }
        bests[thread] = best;
    });
    block.phase([&](int thread) {
        if (thread >= count)
            return;
        Best best = none;
        for (int i = 0; i < 16; i++)
            best = better(best, bests[thread * 16 + i]);
        runs[thread] = best;
    });
    Best best = none;
    for (int i = 0; i < count; i++)
        best = better(best, runs[i]);
    return best;
}

FN void argmax_body(Block &block, const ArgmaxArguments &a) {
    const float *logits =
        reinterpret_cast<const float *>(a.logits) + static_cast<uint64_t>(block.x) * a.width;
    Best *bests = block.take<Best>(ARGMAX_THREADS);
    Best *runs = block.take<Best>(ARGMAX_THREADS / 16);
    const Best best = best_of_row(block, logits, a.width, bests, runs);
    block.phase([&](int thread) {
        if (thread == 0)
            reinterpret_cast<uint32_t *>(a.tokens)[block.x] = best.nan ? a.none : best.token;
    });
}
