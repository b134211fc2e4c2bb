// Numbers: bf16, exponentials, and 16 bytes at a time.
//
// Every rounding is written out (fused multiply-adds by name, the compiler told to fuse nothing
// else), so that a GPU and a CPU give the same bits.
#pragma once

#include "block.cuh"

// The upper half of an f32.
struct bf16 {
    uint16_t bits;
};

FN float from_bits(uint32_t bits) {
#ifdef __CUDACC__
    return __uint_as_float(bits);
#else
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
#endif
}

FN uint32_t to_bits(float value) {
#ifdef __CUDACC__
    return __float_as_uint(value);
#else
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
#endif
}

FN float fused(float a, float b, float c) { return fmaf(a, b, c); }

FN float negative_infinity() { return from_bits(0xFF800000u); }

FN float widen(float value) { return value; }
FN float widen(bf16 value) { return from_bits(static_cast<uint32_t>(value.bits) << 16); }

// The nearest number of a type, of two equally near the even one; NaN stays NaN.
template <class V> FN V narrow(float value);
template <> FN float narrow<float>(float value) { return value; }
template <> FN bf16 narrow<bf16>(float value) {
    uint32_t bits = to_bits(value);
    if ((bits & 0x7FFFFFFFu) > 0x7F800000u)
        return {static_cast<uint16_t>((bits >> 16) | 0x40u)};
    return {static_cast<uint16_t>((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16)};
}

// e to the power of x, within 2 units in the last place; 0 below -87.3.
FN float exponential(float x) {
    if (!(x == x))
        return x;
    if (x > 88.72283f)
        return from_bits(0x7F800000u);
    if (x < -87.33654f)
        return 0.0f;
    float n = floorf(fused(x, 1.44269504f, 0.5f));
    // ln 2 in two parts, of which the first has few bits.
    float r = fused(n, -0.693359375f, x);
    r = fused(n, 2.12194440e-4f, r);
    // The minimax polynomial of Cephes (expf).
    float p = 1.9875691500e-4f;
    p = fused(p, r, 1.3981999507e-3f);
    p = fused(p, r, 8.3334519073e-3f);
    p = fused(p, r, 4.1665795894e-2f);
    p = fused(p, r, 1.6666665459e-1f);
    p = fused(p, r, 5.0000001201e-1f);
    p = fused(p * r, r, r) + 1.0f;
    int exponent = static_cast<int>(n);
    // 2^128 is no f32; 2^127 · 2 is.
    float doubled = exponent > 127 ? 2.0f : 1.0f;
    exponent = exponent > 127 ? 127 : exponent;
    return p * doubled * from_bits(static_cast<uint32_t>(exponent + 127) << 23);
}

// 16 bytes: what a thread reads or writes at once.
struct alignas(16) Pack {
    uint32_t words[4];
};

// A pack of global memory that nothing writes while the kernel runs.
FN Pack load(const Pack *from) {
#ifdef __CUDACC__
    const uint4 words = __ldg(reinterpret_cast<const uint4 *>(from));
    return {{words.x, words.y, words.z, words.w}};
#else
    return *from;
#endif
}

// Elements of a pack.
template <class V> struct Packed {
    static constexpr int COUNT = 16 / sizeof(V);
};

template <class V> FN float element(const Pack &pack, int index);
template <> FN float element<float>(const Pack &pack, int index) {
    return from_bits(pack.words[index]);
}
template <> FN float element<bf16>(const Pack &pack, int index) {
    uint32_t word = pack.words[index / 2];
    return from_bits(index % 2 ? word & 0xFFFF0000u : word << 16);
}

template <class V> FN void put(Pack &pack, int index, float value);
template <> FN void put<float>(Pack &pack, int index, float value) {
    pack.words[index] = to_bits(value);
}
template <> FN void put<bf16>(Pack &pack, int index, float value) {
    uint32_t bits = narrow<bf16>(value).bits;
    uint32_t word = pack.words[index / 2];
    pack.words[index / 2] =
        index % 2 ? (word & 0xFFFFu) | (bits << 16) : (word & 0xFFFF0000u) | bits;
}

// The sum of one value of each thread, in an order that only their number decides: runs of 16
// neighbours, then those sums one after the other. `scratch` has room for one value a thread and
// for one more every 16 of them.
template <class V> FN float sum_of_threads(Block &block, PerThread<V> &own, float *scratch) {
    float *runs = scratch + block.threads;
    int count = block.threads / 16;
    block.phase([&](int thread) { scratch[thread] = own(thread); });
    block.phase([&](int thread) {
        if (thread >= count)
            return;
        float sum = 0.0f;
        for (int i = 0; i < 16; i++)
            sum += scratch[thread * 16 + i];
        runs[thread] = sum;
    });
    float sum = 0.0f;
    for (int i = 0; i < count; i++)
        sum += runs[i];
    return sum;
}
