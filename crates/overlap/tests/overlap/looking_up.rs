use overlap::{Error, Index, OverlapOptions, TextForm};
use proptest::prelude::*;

use crate::{index, items};

const DUCKS: &str = "Janet’s ducks lay 16 eggs per day. She eats three for breakfast every morning and bakes muffins for \
                     her friends every day with four. She sells the remainder for $2 per egg. How much does she make?";

#[test]
fn a_text_in_other_dress_is_exact() {
    let index = index(&[DUCKS, "Simplify: $2+3$"], OverlapOptions::default());
    for text in [
        DUCKS.to_uppercase(),
        DUCKS.replace(' ', "\n  "),
        DUCKS
            .replace('’', "'")
            .replace("$2", "\\$2")
            .replace('.', " ;"),
    ] {
        let hits = index.hits(&text);
        assert_eq!(hits.len(), 1, "{text}");
        assert!(
            hits[0].exact && hits[0].share == 1.0 && hits[0].near == Some(1.0),
            "{:?}",
            hits[0]
        );
    }
    assert!(index.hits("simplify \\( 2 + 3 \\)")[0].exact);
    assert!(
        index
            .hits("simplify \\( 2 - 3 \\)")
            .iter()
            .all(|hit| !hit.exact)
    );
}

#[test]
fn an_item_inside_a_longer_text_is_found_by_its_n_grams() {
    let index = index(&[DUCKS], OverlapOptions::default());
    let hit = index.hits(&format!(
        "Here is an example. {DUCKS} Let us think: {}",
        "and more words ".repeat(200)
    ))[0];
    assert!(!hit.exact && hit.near.is_none());
    assert_eq!(hit.share, 1.0);
    let half: String = DUCKS.split_inclusive(' ').take(24).collect();
    let hit = index.hits(&half)[0];
    assert!((0.2..0.6).contains(&hit.share), "{}", hit.share);
}

#[test]
fn thirteen_words_in_a_row_are_an_n_gram_and_twelve_are_none() {
    let words: Vec<String> = (0..30)
        .map(|i| format!("w{}", (b'a' + i) as char))
        .collect();
    let index = index(&[&words.join(" ")], OverlapOptions::default());
    for (length, found) in [(12, false), (13, true)] {
        let text = format!("x {} y", words[5..5 + length].join(" "));
        assert_eq!(!index.hits(&text).is_empty(), found, "{length} words");
    }
    assert_eq!(index.hits(&words[5..18].join(" "))[0].share, 1.0 / 18.0);
    let index = self::index(
        &[&words.join(" ")],
        OverlapOptions {
            ngram: 8,
            ..OverlapOptions::default()
        },
    );
    assert!(!index.hits(&words[5..13].join(" ")).is_empty());
}

#[test]
fn a_short_item_is_one_gram_unless_it_is_too_short() {
    let ten = "What is the sum of the first ten even numbers?";
    let five = "What is the largest prime?";
    let index = index(&[ten, five], OverlapOptions::default());
    let found = |text: &str| {
        index
            .hits(text)
            .iter()
            .map(|hit| (hit.item, hit.share))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        found(&format!(
            "Please, tell me this one thing at once, my friend of old: {ten} I need it."
        )),
        [(0, 1.0)]
    );
    assert_eq!(
        found(&format!(
            "Please, tell me this one thing at once, my friend of old: {five} I need it."
        )),
        []
    );
    assert!(index.hits(five)[0].exact);
}

#[test]
fn a_text_with_few_changes_is_near_and_one_with_many_is_not() {
    let index = index(&[DUCKS], OverlapOptions::default());
    let near = |text: &str| index.hits(text).first().and_then(|hit| hit.near);
    assert!(near(&DUCKS.replace("breakfast", "lunch")).is_some_and(|index| index >= 0.8));
    assert_eq!(
        near(
            &DUCKS
                .replace("day", "week")
                .replace("eggs", "coins")
                .replace("her", "his")
                .replace("four", "six")
        ),
        None
    );
}

#[test]
fn hits_come_in_the_order_of_the_items_and_equal_items_are_all_found() {
    let index = index(
        &[DUCKS, "Another text of no importance at all", DUCKS],
        OverlapOptions::default(),
    );
    assert_eq!(
        index
            .hits(DUCKS)
            .iter()
            .map(|hit| hit.item)
            .collect::<Vec<_>>(),
        [0, 2]
    );
    assert!(index.hits("").is_empty() && index.hits(" \n.?").is_empty());
}

#[test]
fn what_makes_an_item_contaminated_is_an_option() {
    let words: Vec<String> = (0..25)
        .map(|i| format!("w{}", (b'a' + i) as char))
        .collect();
    let hit = index(&[&words.join(" ")], OverlapOptions::default()).hits(&words[..14].join(" "))[0];
    assert!((hit.share - 2.0 / 13.0).abs() < 1e-9);
    assert!(!hit.contaminates(&OverlapOptions::default()));
    assert!(hit.contaminates(&OverlapOptions {
        min_share: 0.1,
        ..OverlapOptions::default()
    }));
    assert!(hit.contaminates(&OverlapOptions {
        min_share: 0.0,
        ..OverlapOptions::default()
    }));
}

#[test]
fn options_out_of_their_range_and_bad_items_are_refused() {
    let new = |texts: &[&str], options| {
        Index::new(items("set", texts), options)
            .err()
            .map(|error| error.to_string())
    };
    for (options, expected) in [
        (
            OverlapOptions {
                ngram: 4,
                ..OverlapOptions::default()
            },
            "n-grams of 4 words: expected 5 to 50",
        ),
        (
            OverlapOptions {
                min_jaccard: 0.3,
                ..OverlapOptions::default()
            },
            "a threshold of 0.3 for near-duplicates: expected 0.5 to 1",
        ),
        (
            OverlapOptions {
                min_jaccard: f64::NAN,
                ..OverlapOptions::default()
            },
            "a threshold of NaN for near-duplicates: expected 0.5 to 1",
        ),
        (
            OverlapOptions {
                min_share: 1.5,
                ..OverlapOptions::default()
            },
            "a share of 1.5 of the n-grams: expected 0 to 1",
        ),
    ] {
        assert_eq!(new(&["a"], options).as_deref(), Some(expected));
    }
    assert_eq!(
        new(&[], OverlapOptions::default()).as_deref(),
        Some("there is no test item to search for")
    );
    let twice = [items("set", &["a"]), items("set", &["b"])].concat();
    assert!(
        matches!(Index::new(twice, OverlapOptions::default()), Err(Error::DuplicateId(id)) if id == "set/1")
    );
}

/// Shingles and n-grams counted in the plainest way.
fn plain_share(item: &[String], text: &[String], n: usize) -> f64 {
    let grams = |words: &[String]| {
        words
            .windows(n)
            .map(<[String]>::to_vec)
            .collect::<std::collections::HashSet<_>>()
    };
    let (own, other) = (grams(item), grams(text));
    if own.is_empty() {
        0.0
    } else {
        own.intersection(&other).count() as f64 / own.len() as f64
    }
}

proptest! {
    #[test]
    fn the_share_is_what_counting_gives(item in prop::collection::vec("[ab]", 5..40), text in prop::collection::vec("[ab]", 0..60)) {
        let index = index(&[&item.join(" ")], OverlapOptions { ngram: 5, ..OverlapOptions::default() });
        let share = index.hits(&text.join(" ")).first().map_or(0.0, |hit| hit.share);
        prop_assert_eq!(share, plain_share(&item, &text, 5));
    }

    /// A text that was read for everything is found as one that is only looked up, whatever was in
    /// the same memory before.
    #[test]
    fn a_text_that_was_read_hits_the_same(item in prop::collection::vec("[a-c]", 0..40), text in prop::collection::vec("[a-c]|[0-9]|\\PC", 0..60), before in "\\PC{0,80}") {
        let index = index(&[&item.join(" "), DUCKS], OverlapOptions { ngram: 5, ..OverlapOptions::default() });
        let mut form = TextForm::of(&before);
        for text in [text.join(" "), item.join("\n"), before.clone()] {
            form.read(&text);
            prop_assert_eq!(index.hits_of(&form), index.hits(&text));
        }
    }

    #[test]
    fn a_text_is_always_its_own_exact_and_nearest(text in "\\PC{1,80}") {
        prop_assume!(!overlap::normal_form(&text).is_empty());
        let index = index(&[&text], OverlapOptions::default());
        let hits = index.hits(&overlap::normal_form(&text).to_uppercase());
        prop_assert!(index.hits(&text)[0].exact);
        prop_assert!(hits.len() <= 1);
    }
}
