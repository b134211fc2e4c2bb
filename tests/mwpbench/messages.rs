//! Libraries name no flag and no subcommand: the binary says the way out (`crates/cli/way_out.rs`).

use std::path::{Path, PathBuf};

/// Crates whose business is what a user types or reads.
const MAY_NAME_FLAGS: [&str; 2] = ["cli", "reporting"];

#[test]
fn string_literals_of_libraries_name_no_flag() {
    let mut found = Vec::new();
    for file in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("crates")) {
        let text = std::fs::read_to_string(&file).unwrap();
        for (line, literal) in literals(without_tests(&text)) {
            if names_a_flag(&literal) {
                found.push(format!("{}, line {line}: {literal}", file.display()));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_flag_in_a_literal_is_found_and_others_are_not() {
    let code = "// give --flag\n/// `mwpbench eval`\nlet a = 'x'; let b = '\"';\nfail(\"give\\\n --max-tokens\");\n\
                let c = \"a -- b\"; let d = r#\"see `mwpbench eval`\"#;\n";
    let named: Vec<usize> = literals(code)
        .into_iter()
        .filter(|(_, literal)| names_a_flag(literal))
        .map(|(line, _)| line)
        .collect();
    assert_eq!(named, [4, 6]);
}

/// The source files of the libraries, without their tests.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy().into_owned();
        if path.is_dir() {
            let passed_over = ["tests", "benches", "examples"];
            if !passed_over.contains(&name.as_str()) && !MAY_NAME_FLAGS.contains(&name.as_str()) {
                files.extend(sources(&path));
            }
        } else if name.ends_with(".rs") && name != "tests.rs" {
            files.push(path);
        }
    }
    files
}

/// The text before the tests at the end of a file.
fn without_tests(text: &str) -> &str {
    text.find("#[cfg(test)]\nmod tests {")
        .map_or(text, |start| &text[..start])
}

/// Whether a text names a flag (`--max-tokens`) or a command of the program.
fn names_a_flag(text: &str) -> bool {
    let flag = text.match_indices("--").any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + 2..].chars().next();
        before.is_none_or(|c| !c.is_alphanumeric() && c != '-')
            && after.is_some_and(|c| c.is_ascii_lowercase())
    });
    flag || text.contains("`mwpbench ")
}

/// The string literals of Rust source, each with the line that it begins in. Comments and
/// characters are passed over.
fn literals(code: &str) -> Vec<(usize, String)> {
    let bytes = code.as_bytes();
    let line_of = |at: usize| code[..at].matches('\n').count() + 1;
    let (mut found, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let rest = &code[at..];
        if rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
        } else if rest.starts_with("r\"") || rest.starts_with("r#") {
            let hashes = rest[1..].bytes().take_while(|byte| *byte == b'#').count();
            let start = 1 + hashes + 1;
            let end = format!("\"{}", "#".repeat(hashes));
            if rest.as_bytes().get(1 + hashes) != Some(&b'"') {
                at += 1; // a raw identifier
                continue;
            }
            let length = rest[start..].find(&end).expect("a literal ends");
            found.push((line_of(at), rest[start..start + length].to_string()));
            at += start + length + end.len();
        } else if rest.starts_with('"') {
            let mut length = 1;
            while rest.as_bytes()[length] != b'"' {
                length += 1 + usize::from(rest.as_bytes()[length] == b'\\');
            }
            found.push((line_of(at), rest[1..length].to_string()));
            at += length + 1;
        } else if rest.starts_with("'\\") {
            at += 3 + rest[3..].find('\'').expect("a character ends");
        } else if rest.starts_with("'\"'") {
            at += 3;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    found
}
