//! `--stop`: strings that end a completion, beside or in place of the protocol's own.

use crate::heading;

/// Which strings end a completion.
#[derive(clap::Args)]
#[command(next_help_heading = heading::SAMPLING)]
pub struct StopArgs {
    /// A stop string beside the protocol's own: a completion ends before it; repeat for several. It
    /// has no escapes: a line end is $'\n' in bash.
    #[arg(long, value_name = "STRING", value_parser = stop)]
    stop: Vec<String>,
    /// Without the protocol's stop strings: completions end at the model's end-of-sequence token, at
    /// --max-tokens, and at --stop.
    #[arg(long)]
    no_default_stop: bool,
}

fn stop(text: &str) -> Result<String, String> {
    match text {
        "" => Err("an empty string would end every completion before its first token".to_string()),
        text => Ok(text.to_string()),
    }
}

impl StopArgs {
    /// The strings, `usual` being those that the prompts call for by themselves. Each is there
    /// once.
    pub fn strings(&self, usual: Vec<String>) -> Vec<String> {
        let mut strings = if self.no_default_stop {
            Vec::new()
        } else {
            usual
        };
        for text in &self.stop {
            if looks_escaped(text) {
                eprintln!(
                    "warning: --stop '{text}' has a backslash in it, which is no escape: where a line end or a tab is meant, write $'{text}' in bash"
                );
            }
            if !strings.contains(text) {
                strings.push(text.clone());
            }
        }
        strings
    }
}

/// Whether there is a backslash and n, r or t where no command of LaTeX goes on, such as `\nabla`.
fn looks_escaped(text: &str) -> bool {
    text.split('\\').skip(1).any(|rest| {
        let mut letters = rest.chars();
        letters.next().is_some_and(|letter| "nrt".contains(letter))
            && !letters.next().is_some_and(|next| next.is_ascii_lowercase())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(stop: &[&str], no_default_stop: bool) -> Vec<String> {
        let stop = stop.iter().map(ToString::to_string).collect();
        StopArgs {
            stop,
            no_default_stop,
        }
        .strings(vec!["USER".to_string(), "</s>".to_string()])
    }

    #[test]
    fn strings_are_added_once_in_the_order_given() {
        assert_eq!(strings(&[], false), ["USER", "</s>"]);
        assert_eq!(
            strings(&["\n\n", "USER", "Q:", "Q:"], false),
            ["USER", "</s>", "\n\n", "Q:"]
        );
        assert_eq!(strings(&["Q:"], true), ["Q:"]);
        assert_eq!(strings(&[], true), [""; 0]);
    }

    #[test]
    fn escapes_are_distinguished_from_commands_of_latex() {
        for text in ["\\n", "\\n\\n", "\\nQuestion:", "end\\t", "\\r\\n"] {
            assert!(looks_escaped(text), "{text}");
        }
        for text in [
            "\n",
            "\\nabla",
            "\\text{x}",
            "\\boxed",
            "n",
            "\\",
            "\\rho",
            "",
        ] {
            assert!(!looks_escaped(text), "{text}");
        }
    }
}
