//! Builds the kernels for NVIDIA GPUs (`src/cuda/kernels/`) where the feature `cuda` is on: machine
//! code for each generation that the toolkit knows, and PTX of the newest for those to come, so
//! that no driver compiles anything when the program starts.

use std::path::{Path, PathBuf};
use std::process::{Command, exit};

/// Generations to build for, oldest first.
const GENERATIONS: [&str; 5] = ["80", "86", "89", "90", "100"];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var_os("CARGO_FEATURE_CUDA").is_none() {
        return;
    }
    println!("cargo:rerun-if-changed=src/cuda/kernels");
    println!("cargo:rerun-if-env-changed=PATH");
    println!("cargo:rerun-if-env-changed=CUDA_HOME");
    let nvcc = nvcc();
    let known = run(Command::new(&nvcc).arg("-code-ls"));
    let known: Vec<&str> = GENERATIONS
        .into_iter()
        .filter(|generation| known.lines().any(|line| line == format!("sm_{generation}")))
        .collect();
    let Some(newest) = known.last() else {
        fail(&format!(
            "{} knows no GPU of {GENERATIONS:?}",
            nvcc.display()
        ));
    };
    let Some(out) = std::env::var_os("OUT_DIR") else {
        fail("cargo sets OUT_DIR");
    };
    let image = Path::new(&out).join("kernels.fatbin");
    let mut command = Command::new(&nvcc);
    // No fused multiply-add but those that the kernels name: so they give the bits that the CPU
    // gives.
    command.args(["-fatbin", "-std=c++17", "-O3", "-fmad=false", "-t", "0"]);
    for generation in &known {
        command
            .arg("-gencode")
            .arg(format!("arch=compute_{generation},code=sm_{generation}"));
    }
    command
        .arg("-gencode")
        .arg(format!("arch=compute_{newest},code=compute_{newest}"));
    command
        .arg("src/cuda/kernels/kernels.cu")
        .arg("-o")
        .arg(&image);
    run(&mut command);
    println!("cargo:rustc-env=MWPBENCH_KERNELS={}", image.display());
}

/// The compiler: on the `PATH`, or that of `CUDA_HOME`.
fn nvcc() -> PathBuf {
    let on_path = Command::new("nvcc").arg("-V").output().is_ok();
    match std::env::var_os("CUDA_HOME") {
        Some(home) if !on_path => Path::new(&home).join("bin/nvcc"),
        _ => PathBuf::from("nvcc"),
    }
}

/// What a command writes to stdout.
fn run(command: &mut Command) -> String {
    match command.output() {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).into(),
        Ok(output) => {
            let messages = String::from_utf8_lossy(&output.stderr);
            fail(&format!("{command:?} failed:\n{messages}"))
        }
        Err(error) => fail(&format!(
            "{command:?} cannot be run ({error}); the feature `cuda` needs a CUDA toolkit, see docs/engine.md"
        )),
    }
}

fn fail(message: &str) -> ! {
    eprintln!("{message}");
    exit(1)
}
