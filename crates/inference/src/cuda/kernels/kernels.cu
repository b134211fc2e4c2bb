// Every kernel by its name. For a GPU: nvcc. For the tests: any C++ compiler, with -x c++.
#include "attention.cuh"
#include "elementwise.cuh"
#include "norm.cuh"
#include "pages.cuh"
#include "rope.cuh"
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

KERNEL(argmax, ArgmaxArguments, ARGMAX_THREADS, argmax_body)
