// The kernels as a library of the CPU, for tests; and the product that a GPU leaves to its library.
#include "kernels.cu"

// x [rows, inputs] · w [outputs, inputs]ᵀ, to out [rows, outputs], f32 or rounded, or added to it:
// one sum a result, in the order of the inputs.
template <class T, class O>
static void product(const T *x, const T *w, O *out, uint64_t rows, uint64_t inputs,
                    uint64_t outputs, bool add) {
    constexpr uint64_t BESIDE = 16; // sums that do not wait for each other
    for (uint64_t row = 0; row < rows; row++)
        for (uint64_t first = 0; first < outputs; first += BESIDE) {
            const uint64_t count = outputs - first < BESIDE ? outputs - first : BESIDE;
            float sums[BESIDE] = {};
            for (uint64_t i = 0; i < inputs; i++)
                for (uint64_t c = 0; c < count; c++)
                    sums[c] = fused(widen(x[row * inputs + i]),
                                    widen(w[(first + c) * inputs + i]), sums[c]);
            for (uint64_t c = 0; c < count; c++) {
                O &to = out[row * outputs + first + c];
                to = narrow<O>(add ? widen(to) + sums[c] : sums[c]);
            }
        }
}

extern "C" EXPORTED void host_product(const void *x, const void *w, void *out, uint64_t rows,
                                      uint64_t inputs, uint64_t outputs, int is_bf16,
                                      int out_is_bf16, int add) {
    const bf16 *x16 = static_cast<const bf16 *>(x), *w16 = static_cast<const bf16 *>(w);
    if (is_bf16 && out_is_bf16)
        product(x16, w16, static_cast<bf16 *>(out), rows, inputs, outputs, add);
    else if (is_bf16)
        product(x16, w16, static_cast<float *>(out), rows, inputs, outputs, add);
    else
        product(static_cast<const float *>(x), static_cast<const float *>(w),
                static_cast<float *>(out), rows, inputs, outputs, add);
}
