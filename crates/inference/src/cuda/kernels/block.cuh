// A block of threads, on a GPU and on a CPU.
//
// A kernel is a sequence of phases. Within a phase each thread works by itself; what one phase
// writes to shared or global memory the next one may read. A GPU runs a phase on all threads at
// once and waits for all of them at its end; a CPU runs the threads one after the other, in
// ascending or descending order, which must make no difference. So a body needs no barriers, no
// shuffles and no atomics, and any C++ compiler can build it. Only the products of tensor cores are a
// warp's together (blocks.cuh), which a CPU computes for each warp.
//
// Between phases a thread keeps its own values in a PerThread; what stands beside the phases must
// be the same for all threads of the block.
#pragma once

#ifdef __CUDACC__
#define FN __device__ __forceinline__
#else
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#define FN inline
#endif

#ifdef __CUDACC__
#define UNROLL _Pragma("unroll")
using uint32_t = unsigned int;
using uint64_t = unsigned long long;
using uint16_t = unsigned short;
#else
#define UNROLL
#endif

// Threads of a block at most.
constexpr int MAX_THREADS = 512;

#ifdef __CUDACC__

// What each thread has of its own from phase to phase.
template <class V> struct PerThread {
    V value;
    FN V &operator()(int) { return value; }
};

struct Block {
    int x, y, z;
    int threads;
    char *shared;

    FN explicit Block(char *memory)
        : x(blockIdx.x), y(blockIdx.y), z(blockIdx.z), threads(blockDim.x), shared(memory) {}

    template <class F> FN void phase(F f) {
        f(static_cast<int>(threadIdx.x));
        __syncthreads();
    }

    // A phase at whose end nobody waits: what a thread writes there is its own.
    template <class F> FN void own(F f) { f(static_cast<int>(threadIdx.x)); }

    // Shared memory, 16-byte aligned, that no earlier take() gave.
    template <class V> FN V *take(int count) {
        V *taken = reinterpret_cast<V *>(shared);
        shared += (count * sizeof(V) + 15) / 16 * 16;
        return taken;
    }
};

// A kernel by name: ARGUMENTS is one struct, BODY(Block &, const ARGUMENTS &) its phases.
#define KERNEL(NAME, ARGUMENTS, THREADS, ...)                                                      \
    extern "C" __global__ void __launch_bounds__(THREADS) NAME(const ARGUMENTS arguments) {        \
        extern __shared__ __align__(16) char memory[];                                             \
        Block block(memory);                                                                       \
        __VA_ARGS__(block, arguments);                                                             \
    }

#else

template <class V> struct PerThread {
    V value[MAX_THREADS];
    V &operator()(int thread) { return value[thread]; }
};

struct Block {
    int x, y, z;
    int threads;
    char *shared;
    // Whether threads run in descending order.
    bool descending;

    template <class F> void phase(F f) {
        for (int i = 0; i < threads; i++)
            f(descending ? threads - 1 - i : i);
    }

    template <class F> void own(F f) { phase(f); }

    template <class V> V *take(int count) {
        V *taken = reinterpret_cast<V *>(shared);
        shared += (count * sizeof(V) + 15) / 16 * 16;
        return taken;
    }
};

// How a kernel is launched on a CPU.
struct HostLaunch {
    uint32_t grid[3];
    uint32_t threads;
    uint32_t shared_bytes;
    uint32_t descending;
    // 16-byte aligned memory of shared_bytes and GUARD bytes behind them.
    char *memory;
};

constexpr int GUARD = 256;
constexpr unsigned char GUARD_BYTE = 0xA5;

// Runs a kernel; false where it was launched wrongly or took or wrote more shared memory than it
// was given. Shared memory is filled with NaN before each block, so that what is read before it is
// written shows in the result.
template <class A> bool run_on_host(void (*body)(Block &, const A &), const A &arguments,
                                    const HostLaunch &launch, uint32_t threads) {
    if (launch.threads != threads)
        return false;
    for (uint32_t z = 0; z < launch.grid[2]; z++)
        for (uint32_t y = 0; y < launch.grid[1]; y++)
            for (uint32_t x = 0; x < launch.grid[0]; x++) {
                memset(launch.memory, 0xFF, launch.shared_bytes);
                memset(launch.memory + launch.shared_bytes, GUARD_BYTE, GUARD);
                Block block{static_cast<int>(x), static_cast<int>(y), static_cast<int>(z),
                            static_cast<int>(threads), launch.memory, launch.descending != 0};
                body(block, arguments);
                if (block.shared > launch.memory + launch.shared_bytes)
                    return false;
                for (int i = 0; i < GUARD; i++)
                    if (static_cast<unsigned char>(launch.memory[launch.shared_bytes + i]) !=
                        GUARD_BYTE)
                        return false;
            }
    return true;
}

#if defined(_WIN32)
#define EXPORTED __declspec(dllexport)
#else
#define EXPORTED __attribute__((visibility("default")))
#endif

#define KERNEL(NAME, ARGUMENTS, THREADS, ...)                                                      \
    extern "C" EXPORTED int NAME(const ARGUMENTS *arguments, const HostLaunch *launch,             \
                                 size_t bytes) {                                                   \
        return bytes == sizeof(ARGUMENTS) &&                                                       \
               run_on_host<ARGUMENTS>(__VA_ARGS__, *arguments, *launch, THREADS);                  \
    }

#endif
