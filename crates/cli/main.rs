//! `mwpbench`: how well does a LLaMA, Mistral or Qwen checkpoint solve mathematical word problems?

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(command_line::run(std::env::args_os()))
}
