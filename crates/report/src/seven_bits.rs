//! Bytes as characters of a page in UTF-8: seven bits a byte.
//!
//! Seven bits are the ASCII character of that number. Those of [`ESCAPED`] stand in a character of two
//! bytes instead, which has the next seven bits too: so 8 bytes of a page hold 7, whatever they are,
//! where base64 holds 6.

/// What HTML ends at or changes (`<`, NUL, carriage return), what editors change (tabs, line ends),
/// and what terminals obey. The page's script has the same list.
const ESCAPED: [u8; 13] = [0, 7, 8, 9, 10, 11, 12, 13, 14, 15, 26, 27, 60];

/// Two groups of seven bits in one character, of which the first is the first of [`ESCAPED`].
const PAIR: u32 = 0x100;

/// A group of [`ESCAPED`] that is the last.
const LAST: u32 = 0x780;

pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() / 7 * 8 + 8);
    let mut groups = groups(bytes);
    while let Some(group) = groups.next() {
        let code = match ESCAPED.iter().position(|escaped| *escaped == group) {
            None => u32::from(group),
            Some(place) => match groups.next() {
                Some(next) => PAIR + place as u32 * 128 + u32::from(next),
                None => LAST + u32::from(group),
            },
        };
        text.push(char::from_u32(code).expect("they are below the surrogates"));
    }
    text
}

/// Seven bits each, the first bit of a byte first, with zeros at the end.
fn groups(bytes: &[u8]) -> impl Iterator<Item = u8> {
    let bit = |at: usize| -> u8 { bytes.get(at / 8).map_or(0, |byte| byte >> (7 - at % 8) & 1) };
    (0..bytes.len() * 8)
        .step_by(7)
        .map(move |at| (at..at + 7).fold(0, |group, at| group << 1 | bit(at)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As the page's script reads it.
    fn decoded(text: &str) -> Vec<u8> {
        let (mut bytes, mut bits, mut count) = (Vec::new(), 0u32, 0);
        let mut put = |group: u32| {
            bits = bits << 7 | group;
            count += 7;
            if count >= 8 {
                count -= 8;
                bytes.push((bits >> count) as u8);
            }
        };
        for code in text.chars().map(u32::from) {
            if (PAIR..LAST).contains(&code) {
                put(ESCAPED[((code - PAIR) / 128) as usize].into());
            }
            put(code % 128);
        }
        bytes
    }

    fn check(bytes: &[u8]) {
        let text = encode(bytes);
        assert_eq!(decoded(&text), bytes);
        assert!(
            !text.bytes().any(|byte| ESCAPED.contains(&byte)),
            "{text:?}"
        );
        let most = (bytes.len() * 8).div_ceil(7) + 1;
        assert!(text.len() <= most, "{} of {most}", text.len());
    }

    #[test]
    fn every_pair_of_bytes_comes_back() {
        check(&[]);
        for first in 0..=255 {
            check(&[first; 7]);
            for second in 0..=255 {
                check(&[first, second]);
            }
        }
        // The last seven bits have no others behind them.
        assert_eq!(encode(&[0; 7]), "\u{100}\u{100}\u{100}\u{100}");
        assert_eq!(
            encode(b"1\x02\x04\x08\x10 <").chars().last(),
            Some('\u{7bc}')
        );
    }

    #[test]
    fn the_script_reads_the_same() {
        let list = ESCAPED.map(|code| code.to_string()).join(", ");
        let script = include_str!("../assets/report.js");
        assert!(script.contains(&format!("const ESCAPED = [{list}];")));
        assert!(script.contains(&format!("code >= {PAIR} && code < {LAST}")));
    }

    proptest! {
        #[test]
        fn any_bytes_come_back(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            check(&bytes);
        }
    }
}
