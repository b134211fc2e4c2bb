// Every kernel by its name. For a GPU: nvcc. For the tests: any C++ compiler, with -x c++.
#include "attention.cuh"
#include "blocks.cuh"
#include "elementwise.cuh"
#include "norm.cuh"
#include "pages.cuh"
#include "rope.cuh"
#include "sample.cuh"
#include "tokens.cuh"

KERNEL(norm_bf16, NormArguments, NORM_THREADS, norm_body<bf16>)
KERNEL(norm_f32, NormArguments, NORM_THREADS, norm_body<float>)

KERNEL(rope_bf16, RopeArguments, ROPE_THREADS, rope_body<bf16>)
KERNEL(rope_f32, RopeArguments, ROPE_THREADS, rope_body<float>)

// By head_dim, and by how many pairs of row and head a block has at most.
KERNEL(attend_f32, AttendArguments, ATTEND_THREADS, attend_body<float, 0, 16>)
KERNEL(attend_bf16, AttendArguments, ATTEND_THREADS, attend_body<bf16, 0, 16>)
KERNEL(attend_bf16_64_4, AttendArguments, ATTEND_THREADS, attend_body<bf16, 64, 4>)
KERNEL(attend_bf16_64_8, AttendArguments, ATTEND_THREADS, attend_body<bf16, 64, 8>)
KERNEL(attend_bf16_64_16, AttendArguments, ATTEND_THREADS, attend_body<bf16, 64, 16>)
KERNEL(attend_bf16_128_4, AttendArguments, ATTEND_THREADS, attend_body<bf16, 128, 4>)
KERNEL(attend_bf16_128_8, AttendArguments, ATTEND_THREADS, attend_body<bf16, 128, 8>)
KERNEL(attend_bf16_128_16, AttendArguments, ATTEND_THREADS, attend_body<bf16, 128, 16>)

KERNEL(merge_bf16, MergeArguments, MERGE_THREADS, merge_body<bf16>)
KERNEL(merge_f32, MergeArguments, MERGE_THREADS, merge_body<float>)

KERNEL(gated_bf16, GatedArguments, GATED_THREADS, gated_body<bf16>)
KERNEL(gated_f32, GatedArguments, GATED_THREADS, gated_body<float>)

KERNEL(bias, BiasArguments, BIAS_THREADS, bias_body)
KERNEL(copy_page, CopyPageArguments, COPY_THREADS, copy_page_body)

KERNEL(gather_bf16, GatherArguments, GATHER_THREADS, gather_body<bf16>)
KERNEL(gather_f32, GatherArguments, GATHER_THREADS, gather_body<float>)

KERNEL(gather_blocks, GatherBlocksArguments, GATHER_THREADS, gather_blocks_body)

KERNEL(quantize_bf16, QuantizeArguments, QUANTIZE_THREADS, quantize_body<bf16>)
KERNEL(quantize_f32, QuantizeArguments, QUANTIZE_THREADS, quantize_body<float>)

// By what becomes of a product, and by how many groups of 8 rows a block has.
KERNEL(block_product_f32_1, BlockProductArguments, BLOCK_PRODUCT_THREADS, block_product_body<float, 1, 1>)
KERNEL(block_product_f32_4, BlockProductArguments, BLOCK_PRODUCT_THREADS, block_product_body<float, 2, 4>)
KERNEL(block_product_f32_8, BlockProductArguments, BLOCK_PRODUCT_THREADS, block_product_body<float, 2, 8>)
KERNEL(block_product_bf16_1, BlockProductArguments, BLOCK_PRODUCT_THREADS, block_product_body<bf16, 1, 1>)
KERNEL(block_product_bf16_4, BlockProductArguments, BLOCK_PRODUCT_THREADS, block_product_body<bf16, 2, 4>)
KERNEL(block_product_bf16_8, BlockProductArguments, BLOCK_PRODUCT_THREADS, block_product_body<bf16, 2, 8>)

KERNEL(argmax, ArgmaxArguments, ARGMAX_THREADS, argmax_body)
KERNEL(sample, SampleArguments, SAMPLE_THREADS, sample_body)
