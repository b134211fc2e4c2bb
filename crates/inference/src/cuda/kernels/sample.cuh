// One token of a row by its distribution: temperature, top-k, top-p, min-p.
//
// Shapes: logits [rows, width] f32, whose rows are left with the weights of their tokens in 0..1;
//   draws [rows] Draw, to tokens [rows] u32.
// Tiling: a block of 512 threads a row, which passes over it once for each bit of a bound: 32 times
//   for top-k, 41 times for top-p, and four times besides.
// Memory traffic: a row of 32,000 has 128 KB, and those of a step stay in the cache of the GPU from
//   pass to pass, so that it is read from memory once and written once.
//
// As on the CPU (sampling.rs): weights are whole numbers in units of 2^-40, whose sums are exact in
// any order, and the exponential is written out, so that the same logits give the same token.
#pragma once

#include "tokens.cuh"

// How the token of a row is drawn.
struct Draw {
    uint64_t number; // uniform in 0..1, in units of 2^-64
    uint64_t least;  // weight that a token must have, at least 1
    double spare;    // the share that top-p drops at most; 0 for none
    float temperature; // 0 for the best token
    uint32_t top_k;    // 0 for all
};

struct SampleArguments {
    uint64_t logits, draws, tokens;
    uint32_t width;
    uint32_t none; // the token of a row that has no distribution
};

constexpr int SAMPLE_THREADS = 512;
constexpr int SAMPLE_RUNS = SAMPLE_THREADS / 16;

// e to the power of x as the CPU's sampler computes it (kernels/elementwise.rs), operation by
// operation.
FN float exponential_unfused(float x) {
    const float round = 12582912.0f;
    float clamped = x < -87.3f ? -87.3f : x > 88.7f ? 88.7f : x;
    float rounded = clamped * 1.44269504f + round;
    float exponent = rounded - round;
    float r = clamped - exponent * 0.6933594f - exponent * -2.1219444e-4f;
    float p = 1.0f / 5040.0f;
    p = p * r + 1.0f / 720.0f;
    p = p * r + 1.0f / 120.0f;
    p = p * r + 1.0f / 24.0f;
    p = p * r + 1.0f / 6.0f;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    int whole = static_cast<int>(to_bits(rounded)) - static_cast<int>(to_bits(round));
    int half = whole >> 1;
    float power = from_bits(static_cast<uint32_t>(half + 127) << 23);
    float rest = from_bits(static_cast<uint32_t>(whole - half + 127) << 23);
    return x < -87.3f ? 0.0f : p * power * rest;
}

// A weight in 0..1 in units of 2^-40, rounded to the nearest, halves to even.
FN uint64_t whole_weight(float weight) {
    uint32_t bits = to_bits(weight);
    int shift = static_cast<int>(bits >> 23) - 110;
    uint32_t mantissa = (bits & 0x7FFFFFu) | 0x800000u;
    if (shift >= 0)
        return static_cast<uint64_t>(mantissa) << shift;
    if (shift < -24)
        return 0;
    uint32_t kept = mantissa >> -shift, rest = mantissa & ((1u << -shift) - 1);
    uint32_t half = 1u << (-shift - 1);
    return kept + (rest > half || (rest == half && kept & 1) ? 1 : 0);
}

// Numbers in the order of the floats that have these bits, -0 below 0.
FN uint32_t ordered(float value) {
    uint32_t bits = to_bits(value);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

FN uint64_t high_product(uint64_t a, uint64_t b) {
#ifdef __CUDACC__
    return __umul64hi(a, b);
#else
    return static_cast<uint64_t>(static_cast<unsigned __int128>(a) * b >> 64);
#endif
}

// Shared memory for sums over the threads of a block.
struct WholeSums {
    uint64_t *threads, *runs;
};

// The sum over the tokens of a row of what `of` says of each.
template <class F> FN uint64_t sum_of_row(Block &block, const WholeSums &sums, uint32_t width, F of) {
    block.phase([&](int thread) {
        uint64_t sum = 0;
        for (uint32_t i = thread; i < width; i += block.threads)
            sum += of(i);
        sums.threads[thread] = sum;
    });
    block.phase([&](int thread) {
        if (thread >= SAMPLE_RUNS)
            return;
        uint64_t sum = 0;
        for (int i = 0; i < 16; i++)
            sum += sums.threads[thread * 16 + i];
        sums.runs[thread] = sum;
    });
    uint64_t sum = 0;
    for (int i = 0; i < SAMPLE_RUNS; i++)
        sum += sums.runs[i];
    return sum;
}

// The token whose share holds `place` when what `of` says of each is laid end to end in their order.
template <class F>
FN void token_at(Block &block, const WholeSums &sums, uint32_t width, uint64_t place, uint32_t *token,
                 F of) {
    const uint32_t own = (width + block.threads - 1) / block.threads;
    auto end_of = [&](int thread) {
        uint32_t end = (thread + 1) * own;
        return end < width ? end : width;
    };
    block.phase([&](int thread) {
        uint64_t sum = 0;
        for (uint32_t i = thread * own; i < end_of(thread); i++)
            sum += of(i);
        sums.threads[thread] = sum;
    });
    block.phase([&](int thread) {
        uint64_t rest = place;
        for (int before = 0; before < thread; before++) {
            if (rest < sums.threads[before])
                return;
            rest -= sums.threads[before];
        }
        if (rest >= sums.threads[thread])
            return;
        for (uint32_t i = thread * own; i < end_of(thread); i++) {
            uint64_t share = of(i);
            if (rest < share) {
                *token = i;
                return;
            }
            rest -= share;
        }
    });
}

FN void sample_body(Block &block, const SampleArguments &a) {
    float *scores = reinterpret_cast<float *>(a.logits) + static_cast<uint64_t>(block.x) * a.width;
    const Draw draw = reinterpret_cast<const Draw *>(a.draws)[block.x];
    uint32_t *token = reinterpret_cast<uint32_t *>(a.tokens) + block.x;
    Best *bests = block.take<Best>(SAMPLE_THREADS);
    Best *runs = block.take<Best>(SAMPLE_RUNS);
    WholeSums sums = {block.take<uint64_t>(SAMPLE_THREADS), block.take<uint64_t>(SAMPLE_RUNS)};
    uint32_t *last = block.take<uint32_t>(1);

    const Best best = best_of_row(block, scores, a.width, bests, runs);
    const uint32_t exponent_bits = to_bits(best.logit) & 0x7F800000u;
    if (draw.temperature == 0.0f || best.nan || exponent_bits == 0x7F800000u) {
        block.phase([&](int thread) {
            if (thread == 0)
                *token = draw.temperature == 0.0f && !best.nan ? best.token : a.none;
        });
        return;
    }

    // The least of the k largest, bit by bit from the highest.
    uint32_t floor = 0;
    if (draw.top_k != 0 && draw.top_k < a.width)
        for (uint32_t bit = 0x80000000u; bit != 0; bit >>= 1) {
            const uint32_t bound = floor | bit;
            const uint64_t above = sum_of_row(block, sums, a.width, [&](uint32_t i) -> uint64_t {
                return ordered(scores[i]) >= bound;
            });
            if (above >= draw.top_k)
                floor = bound;
        }
    // -0 and 0 are equal.
    if (floor == 0x80000000u)
        floor = 0x7FFFFFFFu;
    block.phase([&](int thread) {
        for (uint32_t i = thread; i < a.width; i += block.threads) {
            const float score = scores[i];
            scores[i] = ordered(score) < floor
                            ? 0.0f
                            : exponential_unfused((score - best.logit) / draw.temperature);
        }
    });

    // The weight of the token that crosses what top-p keeps, counted from the likeliest, and the
    // last token of that weight that is kept.
    uint64_t crossing = 0;
    uint32_t last_kept = a.width;
    if (draw.spare > 0.0) {
        const uint64_t total = sum_of_row(block, sums, a.width,
                                          [&](uint32_t i) { return whole_weight(scores[i]); });
        uint64_t spare = static_cast<uint64_t>(draw.spare * static_cast<double>(total));
        spare = spare < total - 1 ? spare : total - 1;
        const uint64_t needed = total - spare;
        auto from = [&](uint64_t bound) {
            return sum_of_row(block, sums, a.width, [&](uint32_t i) {
                const uint64_t weight = whole_weight(scores[i]);
                return weight >= bound ? weight : 0;
            });
        };
        for (uint64_t bit = 1ull << 40; bit != 0; bit >>= 1)
            if (from(crossing | bit) >= needed)
                crossing |= bit;
        const uint64_t rest = needed - from(crossing + 1);
        token_at(block, sums, a.width, (rest - 1) / crossing, last, [&](uint32_t i) -> uint64_t {
            return whole_weight(scores[i]) == crossing;
        });
        last_kept = *last;
    }
    auto kept = [&](uint32_t i) -> uint64_t {
        const uint64_t weight = whole_weight(scores[i]);
        const bool stays = weight > crossing || (weight == crossing && i <= last_kept);
        return stays && weight >= draw.least ? weight : 0;
    };
    const uint64_t total = sum_of_row(block, sums, a.width, kept);
    token_at(block, sums, a.width, high_product(draw.number, total), token, kept);
}
