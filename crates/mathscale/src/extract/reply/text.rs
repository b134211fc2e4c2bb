//! Concepts in lines: a heading for each kind, and below it, or behind its colon, the names.

use std::sync::LazyLock;

use regex::Regex;

use super::Listed;

/// A heading: what is around it, which kind it is of, a number (`Topic 2`), and what stands behind
/// it.
static HEADING: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"(?ix)^
        [\s\#>*_`-]* (?:\d{1,2}[.)]\s*)? [*_`\s]*
        (?:the\s+|key\s+|main\s+|math(?:ematical|ematics)?\s+|relevant\s+|specific\s+|related\s+){0,3}
        (?P<kind> topics? | knowledge[\s_-]*points? | kps? | key\s+points? )
        (?:\s*\([^)]*\))?
        (?:\s*\#?(?P<number>\d{1,2}))?
        [*_`\s]*
        (?: $ | [:\u{FF1A}][*_`]* \s* (?P<rest>.*) $ )";
    Regex::new(pattern).expect("the pattern is well-formed")
});

/// A mark before an item: a bullet, a number, a letter.
static MARK: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\s*(?:[-*+•·–—▪◦]\s+|\(?(?:\d{1,2}|[a-hA-H])[.):]\)?\s+|\(\d{1,2}\)\s*)")
        .expect("the pattern is well-formed")
});

/// Items numbered within a line.
static NUMBERED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?:^|\s)\(?\d{1,2}[.)]\s+").expect("the pattern is well-formed"));

/// An item whose name is emboldened and explained.
static BOLD_NAME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:\*\*|__)(.+?)(?:\*\*|__)").expect("the pattern is well-formed")
});

/// A mark and nothing behind it.
static BARE_MARK: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\s*(?:[-*+•·–—▪◦]|\(?\d{1,2}[.):]\)?|\(\d{1,2}\))[\s*_`\x22“]*$")
        .expect("the pattern is well-formed")
});

/// Whether the reply ends where another item was to follow: with a mark, or a numbered heading, and
/// nothing behind it. Such a reply is not whole.
fn ends_in_empty_item(reply: &str) -> bool {
    let mut lines = reply.lines().rev();
    let last = lines.find(|line| !line.trim().is_empty() && !is_frame(line));
    last.is_some_and(|line| {
        let heading = HEADING.captures(line).is_some_and(|heading| {
            let rest = heading.name("rest").map_or("", |rest| rest.as_str().trim());
            heading.name("number").is_some() && rest.is_empty()
        });
        heading || BARE_MARK.is_match(line)
    })
}

#[derive(Clone, Copy, PartialEq)]
enum Section {
    None,
    Topics,
    KnowledgePoints,
}

/// The concepts that the lines list; empty lists where nothing is recognised.
pub(crate) fn parse(reply: &str) -> Listed {
    let mut listed = Listed {
        ends_in_empty_item: ends_in_empty_item(reply),
        ..Listed::default()
    };
    let mut section = Section::None;
    // Whether the items of the section are marked: then a line without a mark is a remark.
    let mut marked = None;
    for line in reply.lines() {
        if let Some(heading) = HEADING.captures(line) {
            let kind = heading["kind"].to_lowercase();
            section = if kind.starts_with("topic") {
                Section::Topics
            } else {
                Section::KnowledgePoints
            };
            marked = None;
            let rest = heading.name("rest").map_or("", |rest| rest.as_str().trim());
            let parts = if heading.name("number").is_some() {
                vec![rest.to_string()]
            } else {
                parts(rest)
            };
            add(&mut listed, section, parts);
            // A heading with its items behind it has none below.
            if !rest.is_empty() {
                section = Section::None;
            }
            continue;
        }
        if section == Section::None || is_frame(line) {
            continue;
        }
        if line.trim().is_empty() {
            // A blank line below the heading says nothing; below items without marks it ends them.
            if marked == Some(false) {
                section = Section::None;
            }
            continue;
        }
        let mark = MARK.find(line);
        match (marked, mark) {
            (Some(true), None) => section = Section::None,
            (_, mark) => {
                marked = marked.or(Some(mark.is_some()));
                let item = line[mark.map_or(0, |mark| mark.end())..].trim();
                add(&mut listed, section, vec![item.to_string()]);
            }
        }
    }
    listed
}

fn add(listed: &mut Listed, section: Section, items: Vec<String>) {
    let names = items
        .iter()
        .map(|item| name(item))
        .filter(|name| !name.is_empty());
    match section {
        Section::None => {}
        Section::Topics => listed.topics.extend(names),
        Section::KnowledgePoints => listed.knowledge_points.extend(names),
    }
}

/// The items of a line: numbered, between semicolons, or between commas where each begins like a
/// name.
fn parts(line: &str) -> Vec<String> {
    let list = line.trim().trim_start_matches('[').trim_end_matches(']');
    let split: Vec<&str> = if NUMBERED.find_iter(list).count() > 1
        || NUMBERED.find(list).is_some_and(|mark| mark.start() == 0)
    {
        NUMBERED.split(list).collect()
    } else if list.contains(';') {
        list.split(';').collect()
    } else {
        let commas: Vec<&str> = list.split(',').collect();
        // A name may hold commas itself ("Area, perimeter and volume"): what goes on in small
        // letters is not taken apart.
        let like_names = commas.iter().all(|part| {
            part.trim_start()
                .starts_with(|c: char| c.is_uppercase() || c == '"')
        });
        if like_names { commas } else { vec![list] }
    };
    split
        .into_iter()
        .map(|part| part.trim().to_string())
        .filter(|part| !part.is_empty())
        .collect()
}

/// The name in an item, without emphasis, quotation marks and what explains it.
fn name(item: &str) -> String {
    let bold = BOLD_NAME
        .captures(item)
        .map(|name| name[1].trim().to_string());
    let name = bold.unwrap_or_else(|| item.replace("**", "").replace("__", ""));
    let around = |c: char| c.is_whitespace() || matches!(c, '*' | '`' | '_' | '"' | '“' | '”');
    let name = name
        .trim_matches(around)
        .trim_end_matches(['.', ':', ';', ',']);
    name.trim_matches(around).to_string()
}

/// Fences and rules around a list.
fn is_frame(line: &str) -> bool {
    let line = line.trim();
    line.starts_with("```")
        || (line.len() >= 3 && line.chars().all(|c| matches!(c, '-' | '*' | '_' | '=')))
}
