//! The help of every command, whole.

use assert_cmd::Command;

/// Commands of which each has a page of help.
const COMMANDS: [&str; 45] = [
    "",
    "eval",
    "merge",
    "score",
    "show",
    "disagreements",
    "compare",
    "gate",
    "baseline",
    "baseline save",
    "baseline show",
    "leaderboard",
    "report",
    "export",
    "import-run",
    "inspect",
    "serve",
    "rules check",
    "data",
    "data list",
    "data stats",
    "data show",
    "data random",
    "data fetch",
    "data verify",
    "data import",
    "data known-errors",
    "data new",
    "data overlap",
    "data path",
    "data selfcheck",
    "data translate",
    "mathscale",
    "mathscale extract",
    "mathscale graph",
    "mathscale graph stats",
    "mathscale graph show",
    "mathscale graph export",
    "mathscale compose",
    "mathscale generate",
    "mathscale validate",
    "mathscale screen",
    "mathscale export",
    "mathscale recipe",
    "mathscale status",
];

/// The page at 100 columns, without variables of the user.
fn help(command: &str) -> String {
    let mut help = Command::cargo_bin("mwpbench").unwrap();
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("MWPBENCH_")) {
        help.env_remove(name);
    }
    help.env("COLUMNS", "100");
    let output = help
        .args(command.split_whitespace())
        .arg("--help")
        .output()
        .unwrap();
    assert!(output.status.success(), "{command}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_command_has_its_page() {
    for command in COMMANDS {
        let name = match command {
            "" => "help".to_string(),
            command => format!("help-{}", command.replace(' ', "-")),
        };
        insta::assert_snapshot!(name, help(command));
    }
}

/// A page without an example is a page to be guessed from; what only holds other commands has none.
#[test]
fn every_page_has_an_example() {
    let holders = ["", "baseline", "data", "mathscale"];
    for command in COMMANDS
        .into_iter()
        .filter(|command| !holders.contains(command))
    {
        let page = help(command);
        let own = format!("\n  mwpbench {command}");
        assert!(
            page.contains("Example") && page.contains(&own),
            "{command}: {page}"
        );
    }
}

/// A list of more than ten flags without a heading is not read.
#[test]
fn long_pages_have_headings() {
    for command in COMMANDS {
        let page = help(command);
        let mut flags = 0;
        let mut heading = String::new();
        for line in page.lines() {
            if !line.starts_with(' ') && line.ends_with(':') {
                (heading, flags) = (line.to_string(), 0);
            }
            let is_flag = line.trim_start().starts_with('-') && line.starts_with(' ');
            flags += usize::from(is_flag && !line.contains("  - "));
            assert!(
                heading != "Options:" || flags <= 10,
                "mwpbench {command}: more than ten flags under no heading"
            );
        }
    }
}

/// What clap prints as a default and what the text says cannot part.
#[test]
fn no_default_is_typed_by_hand() {
    for command in COMMANDS {
        for line in help(command).lines() {
            let printed_by_clap =
                line.trim_start().starts_with('[') || line.matches('[').count() == 1;
            assert!(
                printed_by_clap || !line.contains("[default"),
                "{command}: {line}"
            );
        }
    }
}

#[test]
fn the_old_name_of_inspect_still_works() {
    assert_eq!(help("model").lines().next(), help("inspect").lines().next());
}
