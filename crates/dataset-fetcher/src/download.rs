//! One file over HTTP: resumed where it broke off (`Range` with `If-Range`), retried, bounded.

use reqwest::header::HeaderMap;
use url::Url;

use crate::client::{Client, Failure, FileResponse, header};
use crate::error::Error;
use crate::event::FetchEvent;
use crate::partial::{Note, PartialDownload};
use crate::policy::DownloadPolicy;

/// The file to download.
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
    fn check_size(&self, bytes: u64, policy: &DownloadPolicy, how: &str) -> Result<(), Error> {
        let (limit, why) = match self.bytes {
            Some(known) => (known, format!("the published file has {known}")),
            None => (
                policy.max_file_bytes,
                format!("no file may have more than {}", policy.max_file_bytes),
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

/// Downloads into `part`, resuming from what it holds.
///
/// # Errors
/// The reason why it was given up. What has arrived stays in `part`, except where it cannot be of
/// use.
pub(crate) fn download(
    client: &Client,
    wanted: &Wanted<'_>,
    part: &mut PartialDownload,
    policy: &DownloadPolicy,
    on_event: &mut dyn FnMut(FetchEvent<'_>),
) -> Result<(), Error> {
    let mut fruitless = 0;
    let mut delays = policy.backoff.delays();
    let mut most = part.bytes();
    for attempt in 1.. {
        let (reason, retry_after) = match try_once(client, wanted, part, policy, on_event) {
            Ok(()) => return Ok(()),
            Err(Failure::Retry {
                reason,
                retry_after,
            }) => (reason, retry_after),
            Err(Failure::Final(error)) => {
                if matches!(error, Error::TooLarge { .. }) {
                    part.discard()?;
                }
                return Err(error);
            }
        };
        // Only bytes that we did not have before count: a server that always breaks off at the same
        // place is given up.
        fruitless += 1;
        if part.bytes() > most {
            most = part.bytes();
            fruitless = 1;
            delays = policy.backoff.delays();
        }
        if fruitless >= policy.max_attempts || attempt >= policy.max_total_attempts {
            let url = wanted.url.as_str().to_string();
            return Err(Error::Unreachable {
                url,
                attempts: attempt,
                reason,
                kept: kept(part, wanted.pinned),
            });
        }
        // Drawn even where the server says how long: attempts that it timed count for the growth of
        // the backoff too.
        let own = delays.next().unwrap_or_default();
        let delay = retry_after.unwrap_or(own);
        on_event(FetchEvent::Retry {
            name: wanted.name,
            reason: &reason,
            delay,
            attempt: attempt + 1,
        });
        std::thread::sleep(delay);
    }
    unreachable!("the attempts are bounded")
}

fn kept(part: &PartialDownload, pinned: bool) -> String {
    match part.is_resumable(pinned) {
        true => format!(
            "{} bytes are kept, and the next fetch resumes from there; ",
            part.bytes()
        ),
        false => String::new(),
    }
}

fn try_once(
    client: &Client,
    wanted: &Wanted<'_>,
    part: &mut PartialDownload,
    policy: &DownloadPolicy,
    on_event: &mut dyn FnMut(FetchEvent<'_>),
) -> Result<(), Failure> {
    let total = wanted.bytes.or(part.total());
    let range = match part.resume(wanted.url.as_str(), wanted.pinned) {
        // The last attempt was cut off between the last byte and the check.
        Some(range) if total == Some(range.from) => return Ok(()),
        Some(range) if total.is_none_or(|total| range.from < total) => Some(range),
        _ => None,
    };
    let response = client.get(wanted.url, range.as_ref())?;
    check_encoding(&response)?;
    let mut file = match (response.status, &range) {
        // Also in answer to a range: the file is another one by `If-Range`, or the server knows no
        // ranges. In both cases the whole file follows.
        (200, _) => {
            let total = content_length(&response.headers);
            if let Some(total) = total {
                wanted.check_size(total, policy, "the server announces")?;
            }
            part.begin(note(wanted.url, &response.headers, total))?
        }
        (206, Some(range)) => match content_range(&response.headers) {
            Some((from, size)) if from == range.from && agree(size, total) => {
                if let Some(size) = size {
                    wanted.check_size(size, policy, "the server announces")?;
                }
                part.append(note(wanted.url, &response.headers, size.or(part.total())))?
            }
            _ => {
                part.discard()?;
                return Err(Failure::retry(
                    "the server resumed elsewhere than asked: starting over",
                ));
            }
        },
        (416, Some(_)) => {
            part.discard()?;
            return Err(Failure::retry(
                "the file has changed at the server: starting over",
            ));
        }
        (status, _) => {
            let reason = format!("status {status} to a request for the whole file");
            return Err(Error::Answer {
                url: response.url,
                reason,
            }
            .into());
        }
    };
    on_event(FetchEvent::Begin {
        name: wanted.name,
        from: wanted.url.as_str(),
        have: part.bytes(),
        total: wanted.bytes.or(part.total()),
    });
    receive(response, wanted, part, &mut file, policy, on_event)
}

/// Writes the body as it arrives.
fn receive(
    mut response: FileResponse<'_>,
    wanted: &Wanted<'_>,
    part: &mut PartialDownload,
    file: &mut std::fs::File,
    policy: &DownloadPolicy,
    on_event: &mut dyn FnMut(FetchEvent<'_>),
) -> Result<(), Failure> {
    let total = wanted.bytes.or(part.total());
    loop {
        let bytes = match response.chunk() {
            Ok(None) => break,
            Ok(Some(bytes)) => bytes,
            Err(reason) => {
                return Err(Failure::retry(format!(
                    "broken off at {}: {reason}",
                    progress(part, total)
                )));
            }
        };
        wanted.check_size(
            part.bytes() + bytes.len() as u64,
            policy,
            "the server sends at least",
        )?;
        part.write(file, &bytes)?;
        on_event(FetchEvent::Bytes {
            name: wanted.name,
            done: part.bytes(),
            total,
        });
    }
    // A 206 may carry less than the rest and still end without an error. Where no size is known,
    // only a published id can tell.
    match part.total() {
        Some(total) if part.bytes() != total => {
            let reason = format!("broken off at {}", progress(part, Some(total)));
            // More than announced is no beginning of the file.
            if part.bytes() > total {
                part.discard()?;
            }
            Err(Failure::retry(reason))
        }
        _ => Ok(()),
    }
}

fn progress(part: &PartialDownload, total: Option<u64>) -> String {
    match total {
        Some(total) => format!("{} of {total} bytes", part.bytes()),
        None => format!("{} bytes", part.bytes()),
    }
}

/// A compressed body would have another size, other ranges and another id.
fn check_encoding(response: &FileResponse<'_>) -> Result<(), Error> {
    match header(&response.headers, "content-encoding") {
        None | Some("" | "identity") => Ok(()),
        Some(encoding) => {
            let reason = format!(
                "it is compressed ({}) although that was not asked for",
                encoding.escape_debug()
            );
            Err(Error::Answer {
                url: response.url.clone(),
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
