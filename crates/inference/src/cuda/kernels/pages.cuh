// The pages of the KV cache.
//
// Copying: a block of 256 threads a layer; a page of all heads read once and written once, 16 bytes
//   at a time.
#pragma once

#include "numbers.cuh"

// Positions of a page.
constexpr int PAGE = 16;

// Where keys and values lie: slabs of `slab_pages` pages of all layers,
// [layers, slab_pages, 2, kv_heads, PAGE, head_dim].
struct Pages {
    uint64_t slabs; // their addresses, u64
    uint32_t slab_pages;
    uint32_t layer;
    uint32_t kv_heads;
    uint32_t head_dim;
};

// The first element of a head's keys (0) or values (1) in a page.
template <class P> FN P *page_of(const Pages &pages, uint32_t page, int keys_or_values, int head) {
    uint64_t slab = reinterpret_cast<const uint64_t *>(pages.slabs)[page / pages.slab_pages];
    uint64_t index = static_cast<uint64_t>(pages.layer) * pages.slab_pages + page % pages.slab_pages;
    index = (index * 2 + keys_or_values) * pages.kv_heads + head;
    return reinterpret_cast<P *>(slab) + index * (PAGE * pages.head_dim);
}

struct CopyPageArguments {
    Pages pages; // whose layer is left out
    uint32_t from, to;
    uint32_t layer_bytes; // of a page in one layer
    uint32_t unused;
};

constexpr int COPY_THREADS = 256;

FN void copy_page_body(Block &block, const CopyPageArguments &a) {
    const uint64_t *slabs = reinterpret_cast<const uint64_t *>(a.pages.slabs);
    const uint32_t slab_pages = a.pages.slab_pages;
    auto page = [&](uint32_t page) {
        uint64_t index = static_cast<uint64_t>(block.x) * slab_pages + page % slab_pages;
        return reinterpret_cast<Pack *>(slabs[page / slab_pages] + index * a.layer_bytes);
    };
    const Pack *from = page(a.from);
    Pack *to = page(a.to);
    const int packs = a.layer_bytes / sizeof(Pack);
    block.phase([&](int thread) {
        for (int i = thread; i < packs; i += block.threads)
            to[i] = from[i];
    });
}
