// QK-norm, RoPE, and keys and values into their pages.
//
// Shapes: qkv [rows, heads + 2 · kv_heads, head_dim] f32 as the product gives it, to queries
//   [rows, heads, head_dim] and the pages of the layer, in the type of the activations. norms
//   [head_dim], or as wide as all heads; cosines and sines [turns, pairs] of two f32.
// Tiling: a block of 64 threads a row and head; a thread turns elements t, t + 64, …
// Memory traffic: each element read once and written once, in order; with a norm over whole rows
//   each block reads its row once more, from a cache.
#pragma once

#include "pages.cuh"

struct RopeArguments {
    uint64_t qkv, query_norm, key_norm, cos_sin, queries;
    uint64_t turns; // for each row its row of cos_sin, u32
    uint64_t slots; // for each row page · PAGE + place, u32
    Pages pages;
    uint32_t heads;
    uint32_t pairs;     // of a head's first 2 · pairs elements; 0 for no RoPE
    uint32_t whole_row; // whether norms are over all heads of a row
    float epsilon;
};

constexpr int ROPE_THREADS = 64;

template <class T> FN void rope_body(Block &block, const RopeArguments &a) {
    const int row = block.y, head = block.x, dim = a.pages.head_dim;
    const int kv_heads = a.pages.kv_heads, heads = a.heads, all = heads + 2 * kv_heads;
    const uint64_t start = static_cast<uint64_t>(row) * all * dim;
    const float *qkv = reinterpret_cast<const float *>(a.qkv) + start;
    const bool is_query = head < heads, is_value = head >= heads + kv_heads;
    const float *norm = reinterpret_cast<const float *>(
        is_value ? 0 : is_query ? a.query_norm : a.key_norm);
    float *scratch = block.take<float>(ROPE_THREADS + ROPE_THREADS / 16);
    float *turned = block.take<float>(dim);

    float factor = 1.0f;
    // What the norm is over, and where its weights for this head begin.
    const int first_of_kind = is_query ? 0 : heads;
    const int from = a.whole_row ? first_of_kind * dim : head * dim;
    const int over = a.whole_row ? (is_query ? heads : kv_heads) * dim : dim;
    const int weights = a.whole_row ? (head - first_of_kind) * dim : 0;
    if (norm) {
        PerThread<float> squares;
        block.phase([&](int thread) {
            float sum = 0.0f;
            for (int i = thread; i < over; i += block.threads)
                sum = fused(qkv[from + i], qkv[from + i], sum);
            squares(thread) = sum;
        });
        float mean = sum_of_threads(block, squares, scratch) / static_cast<float>(over);
        factor = 1.0f / sqrtf(mean + a.epsilon);
    }
    block.phase([&](int thread) {
        for (int i = thread; i < dim; i += block.threads) {
            float x = qkv[head * dim + i];
            turned[i] = norm ? x * factor * norm[weights + i] : x;
        }
    });
    const int pairs = is_value ? 0 : a.pairs;
    const uint32_t slot = reinterpret_cast<const uint32_t *>(a.slots)[row];
    T *to = is_query ? reinterpret_cast<T *>(a.queries) +
                           (static_cast<uint64_t>(row) * heads + head) * dim
                     : page_of<T>(a.pages, slot / PAGE, is_value,
                                  (head - heads) % kv_heads) +
                           static_cast<uint64_t>(slot % PAGE) * dim;
    block.phase([&](int thread) {
        const float *angles = nullptr;
        if (pairs)
            angles = reinterpret_cast<const float *>(a.cos_sin) +
                     static_cast<uint64_t>(reinterpret_cast<const uint32_t *>(a.turns)[row]) *
                         pairs * 2;
        for (int i = thread; i < dim; i += block.threads) {
            float x = turned[i];
            if (i < pairs) {
                float cosine = angles[2 * i], sine = angles[2 * i + 1];
                x = fused(x, cosine, -(turned[i + pairs] * sine));
            } else if (i < 2 * pairs) {
                float cosine = angles[2 * (i - pairs)], sine = angles[2 * (i - pairs) + 1];
                x = fused(x, cosine, turned[i - pairs] * sine);
            }
            to[i] = narrow<T>(x);
        }
    });
}
