# A CUDA toolkit from NVIDIA's Python wheels in the folder $1 (made where it is not there), for the shell that sources this
# file: sets PATH, CUDA_HOME and what else a build with the feature `cuda` reads. $2: `compiler`, which is enough to build
# kernels and to check types, or `all`, with the libraries to link with. Returns 3 where the wheels cannot be installed.

toolkit=$(mkdir -p "$1" && cd "$1" && pwd)
export CUDA_HOME=$toolkit/home CUDA_PATH=$toolkit/home CUDA_ROOT=$toolkit/home
export PATH=$CUDA_HOME/bin:$PATH LD_LIBRARY_PATH=$CUDA_HOME/lib64${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
# What candle's kernels are built for; ours are built for every generation.
export CUDA_COMPUTE_CAP=${CUDA_COMPUTE_CAP:-80}

compiler='nvidia-cuda-nvcc==13.0.88 nvidia-cuda-crt==13.0.88 nvidia-nvvm==13.0.88 nvidia-cuda-runtime==13.0.96'
libraries='nvidia-cuda-cccl==13.0.85 nvidia-cuda-nvrtc==13.0.88 nvidia-cublas==13.1.0.3 nvidia-curand==10.4.0.35'
wheels=$compiler
if [ "$2" = all ]; then wheels="$compiler $libraries"; fi
if [ ! -e "$CUDA_HOME/$2" ]; then
    # shellcheck disable=SC2086
    python3 -m venv "$toolkit" && "$toolkit/bin/pip" install --quiet --no-deps $wheels || return 3
    parts=$(echo "$toolkit"/lib/python3*/site-packages/nvidia/cu13)
    mkdir -p "$CUDA_HOME/lib64/stubs"
    for part in bin include nvvm; do ln -sfn "$parts/$part" "$CUDA_HOME/$part"; done
    # The linker looks for names without a version, which the wheels lack.
    for file in "$parts"/lib/*.so.* "$parts"/lib/*.a; do
        name=$(basename "$file")
        ln -sfn "$file" "$CUDA_HOME/lib64/$name"
        case $name in *.so.*) ln -sfn "$name" "$CUDA_HOME/lib64/${name%%.so.*}.so" ;; esac
    done
    touch "$CUDA_HOME/$2"
fi

# A library to link with where there is no driver: the names that cudarc declares, which do nothing.
make_libcuda() {
    [ -e "$CUDA_HOME/lib64/stubs/libcuda.so" ] && return
    bindings=$(find "${CARGO_HOME:-$HOME/.cargo}"/registry/src -path '*/cudarc-*/src/driver/sys/mod.rs' | sort | tail -n 1)
    grep -oE 'pub unsafe fn cu[A-Z][A-Za-z0-9_]*' "$bindings" | sed 's/.* //' | sort -u |
        sed 's/.*/void &(void) {}/' >"$CUDA_HOME/lib64/stubs/libcuda.c"
    cc -shared -fPIC -w -Wl,-soname,libcuda.so.1 -o "$CUDA_HOME/lib64/stubs/libcuda.so" "$CUDA_HOME/lib64/stubs/libcuda.c"
    ln -sfn libcuda.so "$CUDA_HOME/lib64/stubs/libcuda.so.1"
}
