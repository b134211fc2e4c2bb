//! Prefixes that prompts share: a template's header, the examples of a few-shot prompt, or a whole
//! problem that is sampled several times. Each is prefilled once and shared through the KV cache.

/// Rows that a shared prefix must save to be worth a step of its own.
const MIN_SAVED_ROWS: usize = 32;

/// A prefix that the prompts `start..end` of an order share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SharedPrefix {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Tokens; less than any of the prompts has, so that each still computes its own last one.
    pub(crate) length: usize,
}

/// The shared prefixes of prompts that are in lexicographic order of their tokens, by start and
/// length; each lies within those before it or beside them.
pub(crate) fn shared_prefixes(prompts: &[&[u32]]) -> Vec<SharedPrefix> {
    // A stack of growing lengths: (length, where the run of prompts with that much in common
    // begins).
    let mut open: Vec<(usize, usize)> = Vec::new();
    let mut found = Vec::new();
    for index in 0..prompts.len() {
        let common = prompts
            .get(index + 1)
            .map_or(0, |next| common_prefix_length(prompts[index], next));
        let mut start = index;
        while let Some(&(length, first)) = open.last()
            && length > common
        {
            open.pop();
            // In this order a prompt that is a prefix of the others comes first: the one that could
            // lose its last token to the prefix.
            let length = length.min(prompts[first].len() - 1);
            found.push(SharedPrefix {
                start: first,
                end: index + 1,
                length,
            });
            start = first;
        }
        if common > 0 && open.last().is_none_or(|&(length, _)| length < common) {
            open.push((common, start));
        }
    }
    found.sort_unstable_by_key(|prefix| (prefix.start, std::cmp::Reverse(prefix.end)));
    worthwhile(found)
}

fn common_prefix_length(left: &[u32], right: &[u32]) -> usize {
    left.iter()
        .zip(right)
        .take_while(|(left, right)| left == right)
        .count()
}

/// Leaves out those that save too little beside the one around them.
fn worthwhile(prefixes: Vec<SharedPrefix>) -> Vec<SharedPrefix> {
    let mut around: Vec<SharedPrefix> = Vec::new();
    let mut kept = Vec::new();
    for prefix in prefixes {
        while around.last().is_some_and(|outer| outer.end <= prefix.start) {
            around.pop();
        }
        let shared = around.last().map_or(0, |outer| outer.length);
        // One of the prompts would compute it anyway.
        let saved = (prefix.end - prefix.start - 1) * prefix.length.saturating_sub(shared);
        if saved >= MIN_SAVED_ROWS {
            around.push(prefix);
            kept.push(prefix);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(header: usize, tail: &[u32]) -> Vec<u32> {
        [vec![7; header], tail.to_vec()].concat()
    }

    fn of(prompts: &mut [Vec<u32>]) -> Vec<SharedPrefix> {
        prompts.sort();
        let prompts: Vec<&[u32]> = prompts.iter().map(Vec::as_slice).collect();
        shared_prefixes(&prompts)
    }

    #[test]
    fn a_header_is_found_once() {
        let mut prompts: Vec<Vec<u32>> = (0..5).map(|i| prompt(40, &[10 + i, 1, 2])).collect();
        assert_eq!(
            of(&mut prompts),
            [SharedPrefix {
                start: 0,
                end: 5,
                length: 40
            }]
        );
    }

    #[test]
    fn longer_ones_lie_within_shorter_ones() {
        let mut prompts = Vec::new();
        for group in 0..3 {
            for member in 0..4 {
                prompts.push(prompt(33, &[vec![100 + group; 50], vec![member]].concat()));
            }
        }
        let found = of(&mut prompts);
        let inner = |group: usize| SharedPrefix {
            start: 4 * group,
            end: 4 * group + 4,
            length: 83,
        };
        assert_eq!(
            found,
            [
                SharedPrefix {
                    start: 0,
                    end: 12,
                    length: 33
                },
                inner(0),
                inner(1),
                inner(2)
            ]
        );
    }

    #[test]
    fn equal_prompts_share_all_but_their_last_token() {
        assert_eq!(
            of(&mut [prompt(60, &[]), prompt(60, &[])]),
            [SharedPrefix {
                start: 0,
                end: 2,
                length: 59
            }]
        );
        assert_eq!(
            of(&mut [prompt(60, &[]), prompt(60, &[1])]),
            [SharedPrefix {
                start: 0,
                end: 2,
                length: 59
            }]
        );
    }

    #[test]
    fn small_savings_are_left() {
        assert_eq!(of(&mut [prompt(20, &[1]), prompt(20, &[2])]), []);
        assert_eq!(
            of(&mut [prompt(20, &[1]), prompt(20, &[2]), prompt(20, &[3])]).len(),
            1
        );
        assert_eq!(of(&mut []), []);
        assert_eq!(of(&mut [prompt(99, &[])]), []);
    }

    #[test]
    fn every_prefix_is_one_of_all_its_prompts() {
        let mut seed = 1u32;
        let mut random = |below: u32| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 16) % below
        };
        for _ in 0..200 {
            let mut prompts = vec![Vec::new(); random(30) as usize + 1];
            for prompt in &mut prompts {
                for _ in 0..=random(4) {
                    prompt.extend([random(2); 20]);
                }
                prompt.push(random(3));
            }
            let found = of(&mut prompts);
            for prefix in &found {
                let start = &prompts[prefix.start][..prefix.length];
                for prompt in &prompts[prefix.start..prefix.end] {
                    assert!(prompt.starts_with(start) && prompt.len() > prefix.length);
                }
            }
            for (index, outer) in found.iter().enumerate() {
                for inner in &found[index + 1..] {
                    let within = inner.start >= outer.start
                        && inner.end <= outer.end
                        && inner.length > outer.length;
                    assert!(within || inner.start >= outer.end, "{outer:?} {inner:?}");
                }
            }
        }
    }
}
