//! One file over the network: continued where it broke off, tried again, bounded.

use std::io::Read;

use ureq::http::HeaderMap;

use crate::client::{Answer, Client, Failure, header};
use crate::error::Error;
use crate::fetch::Event;
use crate::part::{Note, Part};
use crate::patience::Patience;
use crate::url::Url;

/// What is wanted.
pub(crate) struct Wanted<'a> {
    /// The file, as named in the data folder.
    pub(crate) name: &'a str,
    pub(crate) url: &'a Url,
    /// Its size, where it is known beforehand.
    pub(crate) bytes: Option<u64>,
    /// Whether its content is known beforehand.
    pub(crate) pinned: bool,
}

impl Wanted<'_> {
    /// Refuses a size that is announced or reached.
    fn check_size(&self, bytes: u64, patience: &Patience, how: &str) -> Result<(), Error> {
        let (limit, why) = match self.bytes {
            Some(known) => (known, format!("the published file has {known}")),
            None => (
                patience.largest_file,
                format!("no file may have more than {}", patience.largest_file),
            ),
        };
        match bytes > limit {
            true => Err(Error::TooLarge {
                url: self.url.as_str().to_string(),
                reason: format!("{how} {bytes} bytes, and {why}"),
            }),
            false => Ok(()),
        }
    }
}

/// Downloads into `part`, going on from what it holds.
///
/// # Errors
/// The reason why it was given up. What has arrived stays in `part`, except where it cannot be of
/// use.
pub(crate) fn download(
    client: &Client,
    wanted: &Wanted<'_>,
    part: &mut Part,
    patience: &Patience,
    tell: &mut dyn FnMut(Event<'_>),
) -> Result<(), Error> {
    let mut in_vain = 0;
    let mut most = part.bytes();
    for attempt in 1.. {
        let (reason, asked) = match try_once(client, wanted, part, patience, tell) {
            Ok(()) => return Ok(()),
            Err(Failure::Again { reason, wait }) => (reason, wait),
            Err(Failure::Final(error)) => {
                if matches!(error, Error::TooLarge { .. }) {
                    part.discard()?;
                }
                return Err(error);
            }
        };
        // Only bytes that we did not have before count: a server that always breaks off at the same
        // place is given up.
        in_vain = if part.bytes() > most { 1 } else { in_vain + 1 };
        most = most.max(part.bytes());
        if in_vain >= patience.attempts || attempt >= patience.attempts_in_all {
            let url = wanted.url.as_str().to_string();
            return Err(Error::Unreachable {
                url,
                attempts: attempt,
                reason,
                kept: kept(part, wanted.pinned),
            });
        }
        let wait = asked.unwrap_or_else(|| patience.wait(in_vain));
        tell(Event::Waiting {
            name: wanted.name,
            reason: &reason,
            wait,
            attempt: attempt + 1,
        });
        std::thread::sleep(wait);
    }
    unreachable!("the attempts are bounded")
}

fn kept(part: &Part, pinned: bool) -> String {
    match part.is_resumable(pinned) {
        true => format!(
            "{} bytes are kept, and the same command goes on from there; ",
            part.bytes()
        ),
        false => String::new(),
    }
}

fn try_once(
    client: &Client,
    wanted: &Wanted<'_>,
    part: &mut Part,
    patience: &Patience,
    tell: &mut dyn FnMut(Event<'_>),
) -> Result<(), Failure> {
    let total = wanted.bytes.or(part.total());
    let range = match part.resume(wanted.url.as_str(), wanted.pinned) {
        // The last attempt was cut off between the last byte and the check.
        Some(range) if total == Some(range.from) => return Ok(()),
        Some(range) if total.is_none_or(|total| range.from < total) => Some(range),
        _ => None,
    };
    let answer = client.get(wanted.url, range.as_ref())?;
    check_encoding(&answer)?;
    let mut file = match (answer.status, &range) {
        (200, _) => {
            let total = content_length(&answer.headers);
            if let Some(total) = total {
                wanted.check_size(total, patience, "the server announces")?;
            }
            part.begin(note(wanted.url, &answer.headers, total))?
        }
        (206, Some(range)) => match content_range(&answer.headers) {
            Some((from, size)) if from == range.from && agree(size, total) => {
                if let Some(size) = size {
                    wanted.check_size(size, patience, "the server announces")?;
                }
                part.go_on(note(wanted.url, &answer.headers, size.or(part.total())))?
            }
            _ => {
                part.discard()?;
                return Err(Failure::again(
                    "the server went on elsewhere than asked: starting anew",
                ));
            }
        },
        (416, Some(_)) => {
            part.discard()?;
            return Err(Failure::again(
                "the file has changed at the server: starting anew",
            ));
        }
        (status, _) => {
            let reason = format!("status {status} to a question for the whole file");
            return Err(Error::Answer {
                url: answer.url,
                reason,
            }
            .into());
        }
    };
    tell(Event::Begin {
        name: wanted.name,
        from: wanted.url.as_str(),
        have: part.bytes(),
        total: wanted.bytes.or(part.total()),
    });
    receive(answer, wanted, part, &mut file, patience, tell)
}

/// Takes the body in, byte by byte of what comes.
fn receive(
    answer: Answer,
    wanted: &Wanted<'_>,
    part: &mut Part,
    file: &mut std::fs::File,
    patience: &Patience,
    tell: &mut dyn FnMut(Event<'_>),
) -> Result<(), Failure> {
    let total = wanted.bytes.or(part.total());
    let mut body = answer.body.into_reader();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => {
                return Err(Failure::again(format!(
                    "broken off at {}: {error}",
                    progress(part, total)
                )));
            }
        };
        wanted.check_size(
            part.bytes() + count as u64,
            patience,
            "the server sends at least",
        )?;
        part.write(file, &buffer[..count])?;
        tell(Event::Bytes {
            name: wanted.name,
            done: part.bytes(),
            total,
        });
    }
    match part.total() {
        Some(total) if part.bytes() != total => {
            let reason = format!("broken off at {}", progress(part, Some(total)));
            // More than announced is no beginning of the file.
            if part.bytes() > total {
                part.discard()?;
            }
            Err(Failure::again(reason))
        }
        _ => Ok(()),
    }
}

fn progress(part: &Part, total: Option<u64>) -> String {
    match total {
        Some(total) => format!("{} of {total} bytes", part.bytes()),
        None => format!("{} bytes", part.bytes()),
    }
}

/// A compressed body would have another size, other ranges and another id.
fn check_encoding(answer: &Answer) -> Result<(), Error> {
    match header(&answer.headers, "content-encoding") {
        None | Some("" | "identity") => Ok(()),
        Some(encoding) => {
            let reason = format!(
                "it is compressed ({}) although that was not asked for",
                encoding.escape_debug()
            );
            Err(Error::Answer {
                url: answer.url.clone(),
                reason,
            })
        }
    }
}

fn note(url: &Url, headers: &HeaderMap, total: Option<u64>) -> Note {
    // A weak tag says that the content means the same, not that the bytes are the same.
    let tag = header(headers, "etag").filter(|tag| tag.starts_with('"'));
    let validator = tag.or(header(headers, "last-modified")).map(str::to_string);
    Note {
        url: url.as_str().to_string(),
        total,
        validator,
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    header(headers, "content-length").and_then(|value| value.parse().ok())
}

/// First byte and whole size of `bytes FIRST-LAST/SIZE`; the size may be `*`.
fn content_range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let (range, size) = header(headers, "content-range")?
        .strip_prefix("bytes ")?
        .split_once('/')?;
    let (first, _) = range.split_once('-')?;
    let size = match size.trim() {
        "*" => None,
        size => Some(size.parse().ok()?),
    };
    Some((first.trim().parse().ok()?, size))
}

fn agree(one: Option<u64>, other: Option<u64>) -> bool {
    one.is_none() || other.is_none() || one == other
}
