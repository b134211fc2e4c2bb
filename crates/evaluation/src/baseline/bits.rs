//! Which items were solved, as text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Correct completions of each item: one bit an item (the first in the lowest bit) with one
/// completion a problem, else a byte, or two above 255 completions.
pub(super) fn encode(correct: &[usize], samples: usize) -> String {
    let bytes: Vec<u8> = match samples {
        1 => correct
            .chunks(8)
            .map(|items| {
                items
                    .iter()
                    .rev()
                    .fold(0, |byte, item| byte << 1 | *item as u8)
            })
            .collect(),
        2..=255 => correct.iter().map(|item| *item as u8).collect(),
        _ => correct
            .iter()
            .flat_map(|item| (*item as u16).to_le_bytes())
            .collect(),
    };
    STANDARD.encode(bytes)
}

/// What [`encode`] was given, or what is wrong with the text.
pub(super) fn decode(text: &str, n: usize, samples: usize) -> Result<Vec<usize>, String> {
    let bytes = STANDARD
        .decode(text)
        .map_err(|error| format!("not base64: {error}"))?;
    let expected = match samples {
        1 => n.div_ceil(8),
        2..=255 => n,
        _ => n.saturating_mul(2),
    };
    if bytes.len() != expected {
        return Err(format!(
            "{} bytes of verdicts for {n} items, expected {expected}",
            bytes.len()
        ));
    }
    let correct: Vec<usize> = match samples {
        1 => (0..n)
            .map(|item| usize::from(bytes[item / 8] >> (item % 8) & 1))
            .collect(),
        2..=255 => bytes.iter().map(|byte| usize::from(*byte)).collect(),
        _ => bytes
            .chunks_exact(2)
            .map(|pair| usize::from(u16::from_le_bytes([pair[0], pair[1]])))
            .collect(),
    };
    match correct.iter().position(|correct| *correct > samples) {
        Some(item) => Err(format!(
            "item {item}: {} of {samples} completions are correct",
            correct[item]
        )),
        // One text for one content: a bit set behind the last item would be read by nobody.
        None if encode(&correct, samples) != text => Err("bits beyond the last item".to_string()),
        None => Ok(correct),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(
            (samples, correct) in prop_oneof![Just(1usize), Just(4), Just(255), Just(256), Just(1024)]
                .prop_flat_map(|samples| (Just(samples), prop::collection::vec(0..=samples, 0..70)))
        ) {
            prop_assert_eq!(decode(&encode(&correct, samples), correct.len(), samples), Ok(correct));
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        assert_eq!(encode(&[1, 0, 1, 0, 0, 0, 0, 0, 1], 1), "BQE=");
        assert!(
            decode("BQE=", 17, 1)
                .unwrap_err()
                .contains("2 bytes of verdicts for 17 items, expected 3")
        );
        assert!(
            decode("BQM=", 9, 1)
                .unwrap_err()
                .contains("bits beyond the last item")
        );
        assert!(decode("Bw==", 1, 4).unwrap_err().contains("item 0: 7 of 4"));
        assert!(decode("B!==", 1, 4).unwrap_err().contains("not base64"));
    }

    #[test]
    fn eighteen_thousand_items_take_some_kilobytes() {
        assert_eq!(2 * encode(&vec![1; 18_000], 1).len(), 6_000);
    }
}
