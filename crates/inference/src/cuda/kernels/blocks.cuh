// Products of 8-bit integers in blocks of 32 (GGUF's Q8_0), by tensor cores.
//
// Shapes: x [rows, inputs] to integers [rows, blocks, 8] u32 (four of a row each) and scales [rows,
//   blocks] f32. Weights in fragments: integers [tiles, blocks, 32, 4] u32, of 16 outputs and 32
//   inputs what each thread of a warp has in mma.m16n8k32; scales [tiles, blocks, 8] u32, two f16
//   each. Both products to out [rows, outputs], f32 or bf16, or added to it.
// Tiling: a block of 4 warps computes M tiles of 16 outputs by N groups of 8 rows, each warp a
//   quarter of the blocks; a step that decodes takes one of each, so that many blocks share the
//   reading of the weights.
// Memory traffic: weights once for each 8 N rows, in 16-byte loads side by side; rows once for each
//   16 M outputs, mostly from the cache.
//
// The same bits in any company: a block's product is a sum of integers, exact in any order. It is
// scaled and added in the order of the blocks of its quarter, and the quarters in theirs, whatever
// the rows.
#pragma once

#include "tokens.cuh"

// Inputs of a block of integers, and words of one.
constexpr int BLOCK_INPUTS = 32, BLOCK_WORDS = 8;
// Outputs of a tile, and rows of a group.
constexpr int TILE_OUTPUTS = 16, GROUP_ROWS = 8;
constexpr int WARP = 32, WARPS = 4;

struct QuantizeArguments {
    uint64_t x, integers, scales;
    uint32_t inputs, blocks;
};

constexpr int QUANTIZE_THREADS = 128;

// A thread a block: the largest becomes 127. What is not finite gives a scale that is not.
template <class T> FN void quantize_body(Block &block, const QuantizeArguments &a) {
    const uint64_t row = block.y;
    const T *x = reinterpret_cast<const T *>(a.x) + row * a.inputs;
    uint32_t *integers = reinterpret_cast<uint32_t *>(a.integers) + row * a.blocks * BLOCK_WORDS;
    float *scales = reinterpret_cast<float *>(a.scales) + row * a.blocks;
    block.phase([&](int thread) {
        const uint32_t at = block.x * block.threads + thread;
        if (at >= a.blocks)
            return;
        auto value = [&](int i) {
            const uint32_t input = at * BLOCK_INPUTS + i;
            return input < a.inputs ? widen(x[input]) : 0.0f;
        };
        float largest = 0.0f;
        for (int i = 0; i < BLOCK_INPUTS; i++) {
            const float size = fabsf(value(i));
            // What is no number stays.
            largest = size <= largest || largest != largest ? largest : size;
        }
        const float scale = largest / 127.0f;
        const bool sound = scale > 0.0f && scale <= 3.4028235e38f;
        const float inverse = sound ? 1.0f / scale : 0.0f;
        for (int word = 0; word < BLOCK_WORDS; word++) {
            uint32_t bytes = 0;
            for (int i = 0; i < 4; i++) {
                // Adding and subtracting 1.5 · 2^23 rounds to the nearest.
                const float product = value(word * 4 + i) * inverse;
                const float whole = sound ? product + 12582912.0f - 12582912.0f : 0.0f;
                bytes |= (static_cast<uint32_t>(static_cast<int>(whole)) & 0xFFu) << (8 * i);
            }
            integers[at * BLOCK_WORDS + word] = bytes;
        }
        scales[at] = scale;
    });
}

// The value of an f16.
FN float widen_f16(uint32_t bits) {
    const uint32_t sign = (bits & 0x8000u) << 16, rest = bits & 0x7FFFu;
    if (rest >= 0x7C00u)
        return from_bits(sign | 0x7F800000u | (rest & 0x3FFu) << 13);
    // As a subnormal of f32, made larger by 2^112: exact.
    return from_bits(sign | to_bits(from_bits(rest << 13) * from_bits(0x77800000u)));
}

// What a thread of a warp has of its products, of several blocks where a step has few loads, so that
// they are all under way before the first is waited for.
template <int M, int N> struct Fragments {
    static constexpr int BLOCKS = N == 1 ? 4 : 1;
    struct {
        Pack weights[M];
        uint32_t inputs[N][2];
        float weight_scales[M][2], input_scales[N][2];
        int products[M][N][4];
    } blocks[BLOCKS];
    float sums[M][N][4];
};

// The integer products of each warp: of outputs g and g + 8 of a tile with rows 2 t and 2 t + 1 of a
// group, where g is a thread's number in its warp by 4 and t the rest (PTX ISA, mma.m16n8k32).
#ifdef __CUDACC__
template <int M, int N> FN void multiply_warps(Block &, PerThread<Fragments<M, N>> &own) {
    UNROLL for (auto &f : own(0).blocks) UNROLL for (int m = 0; m < M; m++)
        UNROLL for (int n = 0; n < N; n++) {
        int *to = f.products[m][n];
        asm("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, "
            "{%4, %5, %6, %7}, {%8, %9}, {%10, %10, %10, %10};"
            : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
            : "r"(f.weights[m].words[0]), "r"(f.weights[m].words[1]), "r"(f.weights[m].words[2]),
              "r"(f.weights[m].words[3]), "r"(f.inputs[n][0]), "r"(f.inputs[n][1]), "r"(0));
    }
}
#else
inline int byte_products(uint32_t a, uint32_t b) {
    int sum = 0;
    for (int i = 0; i < 4; i++)
        sum += static_cast<int8_t>(a >> (8 * i)) * static_cast<int8_t>(b >> (8 * i));
    return sum;
}

template <int M, int N> void multiply_warps(Block &block, PerThread<Fragments<M, N>> &own) {
    for (int thread = 0; thread < block.threads; thread++) {
        const int first = thread / WARP * WARP, g = thread % WARP / 4, t = thread % 4;
        for (int b = 0; b < Fragments<M, N>::BLOCKS; b++)
            for (int m = 0; m < M; m++)
                for (int n = 0; n < N; n++)
                    for (int i = 0; i < 4; i++) {
                        const int upper = i / 2, row = 2 * t + i % 2;
                        int sum = 0;
                        for (int part = 0; part < 4; part++) {
                            const Pack &weights = own(first + 4 * g + part).blocks[b].weights[m];
                            const uint32_t *inputs =
                                own(first + 4 * row + part).blocks[b].inputs[n];
                            sum += byte_products(weights.words[upper], inputs[0]) +
                                   byte_products(weights.words[upper + 2], inputs[1]);
                        }
                        own(thread).blocks[b].products[m][n][i] = sum;
                    }
    }
}
#endif

struct BlockProductArguments {
    uint64_t integers, scales; // of the rows
    uint64_t weights, weight_scales;
    uint64_t out;
    uint32_t rows, outputs, blocks;
    uint32_t add; // whether to what `out` holds
};

constexpr int BLOCK_PRODUCT_THREADS = WARP * WARPS;

template <class O, int M, int N>
FN void block_product_body(Block &block, const BlockProductArguments &a) {
    const Pack *weights = reinterpret_cast<const Pack *>(a.weights);
    const uint32_t *weight_scales = reinterpret_cast<const uint32_t *>(a.weight_scales);
    const uint32_t *integers = reinterpret_cast<const uint32_t *>(a.integers);
    const float *scales = reinterpret_cast<const float *>(a.scales);
    constexpr int OUTPUTS = M * TILE_OUTPUTS, ROWS = N * GROUP_ROWS;
    float *quarters = block.take<float>(WARPS * OUTPUTS * ROWS);
    const uint64_t first_tile = static_cast<uint64_t>(block.x) * M;
    const uint32_t first_row = block.y * ROWS;

    PerThread<Fragments<M, N>> own;
    block.own([&](int thread) {
        UNROLL for (int m = 0; m < M; m++) UNROLL for (int n = 0; n < N; n++)
            UNROLL for (int i = 0; i < 4; i++) own(thread).sums[m][n][i] = 0.0f;
    });
    auto start_of = [&](int warp) { return static_cast<int>(a.blocks) * warp / WARPS; };
    // Warps have as many steps, of which the last ones may be none of theirs: on a CPU they go side by
    // side.
    constexpr int BLOCKS = Fragments<M, N>::BLOCKS;
    const int steps = (static_cast<int>(a.blocks) + WARPS - 1) / WARPS;
    for (int step = 0; step < steps; step += BLOCKS) {
        block.own([&](int thread) {
            const int warp = thread / WARP, lane = thread % WARP, g = lane / 4, t = lane % 4;
            UNROLL for (int b = 0; b < BLOCKS; b++) {
                auto &f = own(thread).blocks[b];
                const int at = start_of(warp) + step + b;
                const bool mine = at < start_of(warp + 1);
                UNROLL for (int m = 0; m < M; m++) {
                    f.weights[m] = {{0, 0, 0, 0}};
                    f.weight_scales[m][0] = f.weight_scales[m][1] = 0.0f;
                    if (mine) {
                        const uint64_t place = (first_tile + m) * a.blocks + at;
                        f.weights[m] = load(weights + place * WARP + lane);
                        const uint32_t pair = weight_scales[place * BLOCK_WORDS + g];
                        f.weight_scales[m][0] = widen_f16(pair & 0xFFFFu);
                        f.weight_scales[m][1] = widen_f16(pair >> 16);
                    }
                }
                UNROLL for (int n = 0; n < N; n++) {
                    const uint32_t group = first_row + n * GROUP_ROWS;
                    UNROLL for (int half = 0; half < 2; half++) {
                        const uint64_t row = group + g, scaled = group + 2 * t + half;
                        f.inputs[n][half] =
                            mine && row < a.rows
                                ? integers[(row * a.blocks + at) * BLOCK_WORDS + t + 4 * half]
                                : 0;
                        f.input_scales[n][half] =
                            mine && scaled < a.rows ? scales[scaled * a.blocks + at] : 0.0f;
                    }
                }
            }
        });
        multiply_warps<M, N>(block, own);
        block.own([&](int thread) {
            const int warp = thread / WARP;
            UNROLL for (int b = 0; b < BLOCKS; b++) {
                const auto &f = own(thread).blocks[b];
                if (start_of(warp) + step + b >= start_of(warp + 1))
                    continue;
                UNROLL for (int m = 0; m < M; m++) UNROLL for (int n = 0; n < N; n++)
                    UNROLL for (int i = 0; i < 4; i++) {
                        const float scale = f.weight_scales[m][i / 2] * f.input_scales[n][i % 2];
                        float &sum = own(thread).sums[m][n][i];
                        sum = fused(static_cast<float>(f.products[m][n][i]), scale, sum);
                    }
            }
        });
    }
    block.phase([&](int thread) {
        const int warp = thread / WARP, lane = thread % WARP, g = lane / 4, t = lane % 4;
        UNROLL for (int m = 0; m < M; m++) UNROLL for (int n = 0; n < N; n++)
            UNROLL for (int i = 0; i < 4; i++) {
                const int output = m * TILE_OUTPUTS + g + 8 * (i / 2);
                const int row = n * GROUP_ROWS + 2 * t + i % 2;
                quarters[(warp * ROWS + row) * OUTPUTS + output] = own(thread).sums[m][n][i];
            }
    });
    block.phase([&](int thread) {
        for (int i = thread; i < ROWS * OUTPUTS; i += block.threads) {
            const uint64_t row = first_row + i / OUTPUTS;
            const uint64_t output = first_tile * TILE_OUTPUTS + i % OUTPUTS;
            if (row >= a.rows || output >= a.outputs)
                continue;
            float sum = quarters[i];
            for (int warp = 1; warp < WARPS; warp++)
                sum += quarters[warp * ROWS * OUTPUTS + i];
            O &to = reinterpret_cast<O *>(a.out)[row * a.outputs + output];
            to = narrow<O>(a.add ? widen(to) + sum : sum);
        }
    });
}

struct GatherBlocksArguments {
    uint64_t weights, weight_scales, indices, out, chosen;
    uint32_t width, count, blocks;
    float scale;
};

// Rows of such a matrix, as gather_body takes those of a table.
FN void gather_blocks_body(Block &block, const GatherBlocksArguments &a) {
    const uint32_t index = index_of(a.indices, a.chosen, block.x);
    float *out = reinterpret_cast<float *>(a.out) + static_cast<uint64_t>(block.x) * a.width;
    const uint32_t *weights = reinterpret_cast<const uint32_t *>(a.weights);
    const uint32_t *scales = reinterpret_cast<const uint32_t *>(a.weight_scales);
    const uint32_t output = index % TILE_OUTPUTS, upper = output / 8, g = output % 8;
    block.phase([&](int thread) {
        for (uint32_t i = thread; i < a.width; i += block.threads) {
            if (index >= a.count) {
                out[i] = from_bits(0x7FC00000u);
                continue;
            }
            const uint32_t at = i / BLOCK_INPUTS, rest = i % BLOCK_INPUTS;
            const uint64_t place = static_cast<uint64_t>(index / TILE_OUTPUTS) * a.blocks + at;
            const uint32_t lane = g * 4 + rest % 16 / 4;
            const uint32_t word = weights[(place * WARP + lane) * 4 + upper + rest / 16 * 2];
            const uint32_t pair = scales[place * BLOCK_WORDS + g];
            const int value = static_cast<signed char>(word >> (rest % 4 * 8));
            const float scale = widen_f16(upper ? pair >> 16 : pair & 0xFFFFu);
            out[i] = static_cast<float>(value) * scale * a.scale;
        }
    });
}
