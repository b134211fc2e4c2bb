// Attention over pages, of rows that decode and of rows of prompts alike.
//
// Shapes: queries and out [rows, heads, head_dim]; pages as rope.cuh has them; head_dim a multiple
//   of 8, at most 256. partials [rows, heads, splits, head_dim + 2] f32.
// Tiling: a block of 128 threads takes a tile of rows of one sequence (one row, where it decodes),
//   the query heads of one KV head (up to `chunk` of them), and one split of 256 positions. At most
//   QUERIES pairs of row and head, which share every load. Inside, 64 positions at a time (32 of
//   f32): keys and values into shared memory in 16-byte loads, scores, the softmax so far, weighted
//   values. Scores: a thread a position, over the queries. Values: a thread two neighbouring
//   elements, over the queries.
// Memory traffic: the keys and values that the tile sees once, from the pages; queries once; out
//   once. With more than one split: head_dim + 2 f32 written and read a row, head and split.
//
// The same bits in any company: splits and the tiles inside them begin at multiples of 256 and of
// 64 whatever the sequence; a score, a weight, and the sums of a query over its positions belong to
// that query alone and are taken in one order; splits are merged in ascending order. So a row
// gives the same bits in a prompt's tile, by itself, and after an interruption.
#pragma once

#include "rope.cuh"

struct AttendArguments {
    uint64_t queries, out, partials;
    uint64_t tables; // pages of the sequences, one sequence after the other, u32
    uint64_t tiles;  // AttendTile each
    Pages pages;
    uint32_t heads;
    uint32_t chunk;  // query heads of a block
    uint32_t window; // positions that a row sees, its own included; 0 for all
    uint32_t splits; // of the longest row; where it is 1, out is written at once
    float scale;
    uint32_t first_tile; // of the launch
    uint32_t first_row;  // whose partials are the first ones
    uint32_t unused;
};

// Rows of one sequence, at positions one after the other.
struct AttendTile {
    uint32_t first_row, rows, first_position;
    uint32_t table; // where the pages of the sequence begin in `tables`
};

constexpr int ATTEND_THREADS = 128;
constexpr int SPLIT = 256;
constexpr int LANES = 8; // threads that share the softmax of a query

// Positions at a time.
template <class P> struct At {
    static constexpr int ONCE = sizeof(P) == 2 ? 64 : 32;
};

FN int first_visible(int position, uint32_t window) {
    int first = position + 1 - static_cast<int>(window);
    return window == 0 || first < 0 ? 0 : first;
}

// DIM: head_dim where it is known to the compiler, else 0. Neither DIM nor QUERIES changes a bit.
template <class T, int DIM, int QUERIES> FN void attend_body(Block &block, const AttendArguments &a) {
    using P = T;
    constexpr int TILE = At<P>::ONCE;
    constexpr int ELEMENTS = Packed<P>::COUNT;
    const int dim = DIM ? DIM : a.pages.head_dim;
    const int packs = dim / ELEMENTS;
    const int stride = packs + 1; // in packs: keeps neighbours out of the same banks
    const AttendTile tile =
        reinterpret_cast<const AttendTile *>(a.tiles)[a.first_tile + block.y];
    const int group = a.heads / a.pages.kv_heads, chunks = (group + a.chunk - 1) / a.chunk;
    const int kv_head = block.x / chunks, first_in_group = block.x % chunks * a.chunk;
    const int left = group - first_in_group;
    const int heads = left < static_cast<int>(a.chunk) ? left : a.chunk;
    const int queries = tile.rows * heads; // query q: row q / heads, head q % heads
    const int first_head = kv_head * group + first_in_group;

    // What any row of the tile sees of this split.
    const int split = block.z;
    int low = first_visible(tile.first_position, a.window);
    int high = tile.first_position + tile.rows;
    low = low < split * SPLIT ? split * SPLIT : low;
    high = high > (split + 1) * SPLIT ? (split + 1) * SPLIT : high;
    if (low >= high)
        return;

    Pack *keys = block.take<Pack>(TILE * stride);
    Pack *values = block.take<Pack>(TILE * stride);
    float *scaled = block.take<float>(QUERIES * dim);
    float *weights = block.take<float>(QUERIES * TILE);
    float *lanes = block.take<float>(QUERIES * LANES);
    float *sums = block.take<float>(QUERIES * LANES);
    // The largest score so far, before (0) and after (1) a tile of positions.
    float *largest = block.take<float>(2 * QUERIES);
    float *shrink = block.take<float>(QUERIES);
    float *total = block.take<float>(QUERIES);

    // Which elements of values a thread has, of which queries.
    const int halves = dim / 2, threads_of = block.threads / halves;
    constexpr int OWN = DIM ? (QUERIES * (DIM / 2) + ATTEND_THREADS - 1) / ATTEND_THREADS : QUERIES;
    struct Own {
        float sum[OWN][2];
    };
    PerThread<Own> own;
    const T *all_queries = reinterpret_cast<const T *>(a.queries);
    auto place = [&](int query) {
        uint64_t row = tile.first_row + query / heads;
        return row * a.heads + first_head + query % heads;
    };

    block.phase([&](int thread) {
        UNROLL for (int j = 0; j < OWN; j++) own(thread).sum[j][0] = own(thread).sum[j][1] = 0.0f;
        for (int i = thread; i < queries * dim; i += block.threads)
            scaled[i] = widen(all_queries[place(i / dim) * dim + i % dim]) * a.scale;
        if (thread < QUERIES) {
            largest[thread] = negative_infinity();
            total[thread] = 0.0f;
        }
    });

    const uint32_t *table = reinterpret_cast<const uint32_t *>(a.tables) + tile.table;
    int before = 0; // which half of `largest` is the one before
    for (int start = low / TILE * TILE; start < high; start += TILE) {
        block.phase([&](int thread) {
            // So many loads are under way before the first is waited for.
            constexpr int AHEAD = 8;
            for (int first = thread; first < 2 * TILE * packs; first += AHEAD * block.threads) {
                Pack read[AHEAD];
                UNROLL for (int j = 0; j < AHEAD; j++) {
                    const int i = first + j * block.threads, rest = i % (TILE * packs);
                    const int which = i / (TILE * packs), position = start + rest / packs;
                    read[j] = {{0, 0, 0, 0}};
                    if (which < 2 && position >= low && position < high) {
                        const P *page = page_of<P>(a.pages, table[position / PAGE], which, kv_head);
                        const int pack = position % PAGE * packs + rest % packs;
                        read[j] = load(reinterpret_cast<const Pack *>(page) + pack);
                    }
                }
                UNROLL for (int j = 0; j < AHEAD; j++) {
                    const int i = first + j * block.threads, rest = i % (TILE * packs);
                    const int which = i / (TILE * packs);
                    if (which < 2)
                        (which ? values : keys)[rest / packs * stride + rest % packs] = read[j];
                }
            }
        });
        block.phase([&](int thread) {
            // Four sums a score, so that they do not wait for each other.
            constexpr int APART = ATTEND_THREADS / TILE, SCORES = (QUERIES + APART - 1) / APART;
            const int at = thread % TILE, first = thread / TILE, position = start + at;
            float sum[SCORES][4];
            UNROLL for (int j = 0; j < SCORES; j++)
                sum[j][0] = sum[j][1] = sum[j][2] = sum[j][3] = 0.0f;
            for (int i = 0; i < packs; i++) {
                const Pack key = keys[at * stride + i];
                UNROLL for (int j = 0; j < SCORES; j++) {
                    const int query = first + j * APART;
                    if (query < queries) {
                        Pack q[ELEMENTS / 4];
                        UNROLL for (int e = 0; e < ELEMENTS / 4; e++) q[e] =
                            reinterpret_cast<const Pack *>(scaled + query * dim + i * ELEMENTS)[e];
                        UNROLL for (int e = 0; e < ELEMENTS; e++)
                            sum[j][e % 4] = fused(element<P>(key, e),
                                                  element<float>(q[e / 4], e % 4), sum[j][e % 4]);
                    }
                }
            }
            UNROLL for (int j = 0; j < SCORES; j++) {
                const int query = first + j * APART;
                if (query < queries) {
                    const int own_position = tile.first_position + query / heads;
                    const bool sees = position <= own_position && position < high &&
                                      position >= first_visible(own_position, a.window);
                    weights[query * TILE + at] =
                        sees ? (sum[j][0] + sum[j][1]) + (sum[j][2] + sum[j][3])
                             : negative_infinity();
                }
            }
        });
        block.phase([&](int thread) {
            const int query = thread / LANES, lane = thread % LANES;
            if (query >= queries)
                return;
            float most = negative_infinity();
            for (int at = lane; at < TILE; at += LANES)
                most = fmaxf(most, weights[query * TILE + at]);
            lanes[query * LANES + lane] = most;
        });
        const float *old = largest + before * QUERIES;
        float *newer = largest + (1 - before) * QUERIES;
        block.phase([&](int thread) {
            const int query = thread / LANES, lane = thread % LANES;
            if (query >= queries)
                return;
            float most = old[query];
            for (int i = 0; i < LANES; i++)
                most = fmaxf(most, lanes[query * LANES + i]);
            float sum = 0.0f;
            for (int at = lane; at < TILE; at += LANES) {
                float score = weights[query * TILE + at];
                // Nothing is seen yet where the largest is -∞, and -∞ minus itself is no number.
                float weight = score == negative_infinity() ? 0.0f : exponential(score - most);
                weights[query * TILE + at] = weight;
                sum += weight;
            }
            sums[query * LANES + lane] = sum;
            if (lane == 0) {
                newer[query] = most;
                shrink[query] =
                    old[query] == negative_infinity() ? 0.0f : exponential(old[query] - most);
            }
        });
        block.phase([&](int thread) {
            if (thread < queries) {
                float sum = 0.0f;
                for (int i = 0; i < LANES; i++)
                    sum += sums[thread * LANES + i];
                total[thread] = fused(total[thread], shrink[thread], sum);
            }
            const int half = thread % halves, first = thread / halves;
            if (first >= threads_of)
                return;
            Own &mine = own(thread);
            UNROLL for (int j = 0; j < OWN; j++) {
                const int query = first + j * threads_of;
                if (query < queries) {
                    mine.sum[j][0] *= shrink[query];
                    mine.sum[j][1] *= shrink[query];
                }
            }
            const int count = high - start < TILE ? high - start : TILE;
            for (int at = 0; at < count; at++) {
                const P *value =
                    reinterpret_cast<const P *>(values + at * stride) + 2 * half;
                const float left = widen(value[0]), right = widen(value[1]);
                UNROLL for (int j = 0; j < OWN; j++) {
                    const int query = first + j * threads_of;
                    // Not where the weight is 0: a value that this query does not see may be NaN.
                    if (query < queries && weights[query * TILE + at] != 0.0f) {
                        const float weight = weights[query * TILE + at];
                        mine.sum[j][0] = fused(weight, left, mine.sum[j][0]);
                        mine.sum[j][1] = fused(weight, right, mine.sum[j][1]);
                    }
                }
            }
        });
        before = 1 - before;
    }

    const float *most = largest + before * QUERIES;
    block.phase([&](int thread) {
        const int half = thread % halves, first = thread / halves;
        if (first >= threads_of)
            return;
        UNROLL for (int j = 0; j < OWN; j++) {
            const int query = first + j * threads_of;
            if (query < queries) {
                const float *sum = own(thread).sum[j];
                if (a.splits == 1) {
                    T *out = reinterpret_cast<T *>(a.out) + place(query) * dim + 2 * half;
                    out[0] = narrow<T>(sum[0] / total[query]);
                    out[1] = narrow<T>(sum[1] / total[query]);
                } else {
                    uint64_t at = place(query) - static_cast<uint64_t>(a.first_row) * a.heads;
                    float *partial = reinterpret_cast<float *>(a.partials) +
                                     (at * a.splits + split) * (dim + 2);
                    partial[2 * half] = sum[0];
                    partial[2 * half + 1] = sum[1];
                    if (half == 0) {
                        partial[dim] = most[query];
                        partial[dim + 1] = total[query];
                    }
                }
            }
        }
    });
}

struct MergeArguments {
    uint64_t partials, out;
    uint64_t positions; // of the rows, u32
    uint32_t heads, head_dim, splits, window;
    uint32_t first_row; // whose partials are the first ones
    uint32_t unused;
};

constexpr int MERGE_THREADS = 128;

// The splits of a row and head, in ascending order.
template <class T> FN void merge_body(Block &block, const MergeArguments &a) {
    const int dim = a.head_dim;
    const uint64_t row = a.first_row + block.y;
    const int position = reinterpret_cast<const uint32_t *>(a.positions)[row];
    const int first = first_visible(position, a.window) / SPLIT, last = position / SPLIT;
    const float *partials =
        reinterpret_cast<const float *>(a.partials) +
        (static_cast<uint64_t>(block.y) * a.heads + block.x) * a.splits * (dim + 2);
    T *out = reinterpret_cast<T *>(a.out) + (row * a.heads + block.x) * dim;
    block.phase([&](int thread) {
        for (int i = thread; i < dim; i += block.threads) {
            const float *partial = partials + static_cast<uint64_t>(first) * (dim + 2);
            float most = partial[dim], total = partial[dim + 1], sum = partial[i];
            for (int split = first + 1; split <= last; split++) {
                partial += dim + 2;
                float larger = fmaxf(most, partial[dim]);
                float old = most == negative_infinity() ? 0.0f : exponential(most - larger);
                float added = partial[dim] == negative_infinity()
                                  ? 0.0f
                                  : exponential(partial[dim] - larger);
                total = fused(total, old, partial[dim + 1] * added);
                sum = fused(sum, old, partial[i] * added);
                most = larger;
            }
            out[i] = narrow<T>(sum / total);
        }
    });
}
