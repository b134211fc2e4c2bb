//! Server-sent events: bytes, cut anywhere, to the data of whole events.
//!
//! After the HTML standard, section 9.2.6 (interpreting an event stream): lines end in LF, CR or
//! CRLF, a comment begins with a colon, the `data` lines of an event are joined by LF, an empty
//! line ends the event, and an event that the stream's end cuts off is dropped. Two things are
//! different: bytes that are not UTF-8 are an error and not replaced, and llama.cpp's field `error`
//! is understood.

/// Where to read on in the stream.
#[derive(Debug)]
pub(crate) struct SseDecoder {
    line: Vec<u8>,
    data: String,
    has_data: bool,
    /// Whether an LF that comes next belongs to the CR before it.
    after_cr: bool,
    at_start: bool,
    most: usize,
}

impl SseDecoder {
    /// `most`: bytes that one event may have.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            line: Vec::new(),
            data: String::new(),
            has_data: false,
            after_cr: false,
            at_start: true,
            most,
        }
    }

    /// Takes the next bytes and gives the data of the events that they complete.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<Vec<String>, String> {
        let mut events = Vec::new();
        for &byte in bytes {
            match byte {
                b'\n' if self.after_cr => self.after_cr = false,
                b'\n' | b'\r' => {
                    self.after_cr = byte == b'\r';
                    events.extend(self.line_ended()?);
                }
                _ => {
                    self.after_cr = false;
                    // Both count: an event may grow by one line without an end, or by many short
                    // ones.
                    if self.line.len() + self.data.len() >= self.most {
                        return Err(format!(
                            "an event of the stream has more than {} bytes",
                            self.most
                        ));
                    }
                    self.line.push(byte);
                }
            }
        }
        Ok(events)
    }

    fn line_ended(&mut self) -> Result<Option<String>, String> {
        let line = std::mem::take(&mut self.line);
        let line = std::str::from_utf8(&line)
            .map_err(|_| "a line of the stream is not UTF-8".to_string())?;
        let line = if std::mem::take(&mut self.at_start) {
            line.trim_start_matches('\u{feff}')
        } else {
            line
        };
        if line.is_empty() {
            let data = std::mem::take(&mut self.data);
            return Ok(std::mem::take(&mut self.has_data).then_some(data));
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => {
                if self.has_data {
                    self.data.push('\n');
                }
                self.data.push_str(value);
                self.has_data = true;
                Ok(None)
            }
            "error" => Ok(Some(format!("{{\"error\":{value}}}"))),
            // Comments, and fields without a meaning here.
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn events(text: &str) -> Vec<String> {
        SseDecoder::new(1000).feed(text.as_bytes()).unwrap()
    }

    #[test]
    fn every_line_end_comments_and_several_data_lines_are_understood() {
        for (stream, expected) in [
            ("data: a\n\ndata:b\n\n", vec!["a", "b"]),
            ("data: a\r\n\r\ndata: b\r\n\r\n", vec!["a", "b"]),
            ("data: a\r\rdata: b\r\r", vec!["a", "b"]),
            (": keep-alive\n\n:\n\ndata: a\n\n", vec!["a"]),
            ("event: x\nid: 7\nretry: 5\ndata: a\n\n", vec!["a"]),
            ("data: a\ndata: b\n\n", vec!["a\nb"]),
            ("data\n\n", vec![""]),
            ("\u{feff}data: a\n\n", vec!["a"]),
            ("\n\n\ndata:  a\n\n", vec![" a"]),
            (
                "error: {\"code\":500}\n\n",
                vec!["{\"error\":{\"code\":500}}"],
            ),
            ("data: cut off\n", vec![]),
            ("data: cut o", vec![]),
        ] {
            assert_eq!(events(stream), expected, "{stream:?}");
        }
    }

    #[test]
    fn what_is_not_utf_8_or_too_long_is_an_error() {
        assert!(SseDecoder::new(1000).feed(b"data: \xff\n").is_err());
        let mut decoder = SseDecoder::new(100);
        assert!(
            (0..50).any(|_| decoder.feed(b"abcdef").is_err()),
            "a line without an end is bounded"
        );
        let mut decoder = SseDecoder::new(100);
        assert!(
            (0..50).any(|_| decoder.feed(b"data: abcdef\n").is_err()),
            "an event without an end is bounded"
        );
    }

    proptest! {
        #[test]
        fn where_the_bytes_are_cut_does_not_matter(texts in prop::collection::vec("[a-zé 算]{0,12}", 0..6), end in 0..3usize, cut in 1..9usize) {
            let end = ["\n", "\r\n", "\r"][end];
            let stream: String = texts.iter().map(|text| format!("data:{text}{end}{end}")).collect();
            let mut decoder = SseDecoder::new(1000);
            let found: Vec<String> = stream.as_bytes().chunks(cut).flat_map(|piece| decoder.feed(piece).unwrap()).collect();
            let expected: Vec<String> = texts.iter().map(|text| text.strip_prefix(' ').unwrap_or(text).to_string()).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
