//! Tells the program from which commit it was built, where that is known.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // A file that is not there would have this run at every build.
    for file in [".git/HEAD", ".git/logs/HEAD"]
        .into_iter()
        .filter(|file| Path::new(file).is_file())
    {
        println!("cargo:rerun-if-changed={file}");
    }
    let output = Command::new("git").args(["rev-parse", "HEAD"]).output();
    let commit = output
        .ok()
        .filter(|output| output.status.success())
        .and_then(|output| String::from_utf8(output.stdout).ok());
    // Somebody else's repository around a copy of the sources says nothing of them.
    if let Some(commit) = commit.filter(|_| Path::new(".git").exists()) {
        println!("cargo:rustc-env=MWPBENCH_COMMIT={}", commit.trim());
    }
}
