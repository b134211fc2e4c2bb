//! The whole way from a name to a folder.

use std::fs;
use std::path::PathBuf;

use crate::cache::RepositoryCache;
use crate::client::Client;
use crate::download::Download;
use crate::error::Error;
use crate::event::HubEvent;
use crate::listing::{Contents, INDEX, Listing, Needed, RemoteFile};
use crate::name::RepositoryName;
use crate::settings::HubSettings;

/// A commit of a repository in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The folder, or the file where the name names one.
    pub path: PathBuf,
    /// `org/name`.
    pub repository: String,
    /// The path in it of the file that the name names.
    pub file: Option<String>,
    /// The commit's id, 40 hexadecimal digits.
    pub commit: String,
}

/// Sees to it that what is needed of a repository is in the cache. Where the hub cannot be reached
/// and the cache has what it had last, that is used, and an event says so.
///
/// # Errors
/// A repository that is not there or not given to us, that holds something else, no network and not
/// everything in the cache, a full disk, a content that is not what the hub says.
pub fn fetch(
    settings: &HubSettings,
    name: &RepositoryName,
    contents: Contents,
    on_event: &mut dyn FnMut(HubEvent<'_>),
) -> Result<Snapshot, Error> {
    let cache = RepositoryCache::new(&settings.cache, name);
    if settings.offline {
        return from_cache(settings, name, contents, &cache);
    }
    let client = Client::new(settings, name)?;
    let listing = match listing(&client, name, settings, on_event) {
        Ok(listing) => listing,
        Err(error @ Error::Unreachable { .. }) => {
            let Ok(snapshot) = from_cache(settings, name, contents, &cache) else {
                return Err(error);
            };
            on_event(HubEvent::FromCache {
                name: name.repository(),
                commit: &snapshot.commit,
                reason: &error.to_string(),
            });
            return Ok(snapshot);
        }
        Err(error) => return Err(error),
    };
    let commit = listing.commit.clone();
    let needed = Needed::of(name, contents, &listing)?;
    let bytes = download(
        settings,
        name,
        &cache,
        &client,
        (&listing, needed),
        on_event,
    )?;
    cache.remember(name, &commit)?;
    if bytes > 0 {
        on_event(HubEvent::Done { bytes });
    }
    Ok(snapshot(name, &cache, commit))
}

fn listing(
    client: &Client<'_>,
    name: &RepositoryName,
    settings: &HubSettings,
    on_event: &mut dyn FnMut(HubEvent<'_>),
) -> Result<Listing, Error> {
    let described = client.description(on_event)?;
    Listing::parse(&described).map_err(|reason| Error::Answer {
        url: format!("{}/{}", settings.endpoint, name.api()),
        reason,
    })
}

fn snapshot(name: &RepositoryName, cache: &RepositoryCache, commit: String) -> Snapshot {
    let folder = cache.snapshot(&commit);
    Snapshot {
        path: name.file().map_or(folder.clone(), |file| folder.join(file)),
        repository: name.repository().to_string(),
        file: name.file().map(str::to_string),
        commit,
    }
}

/// What the cache has, without a request.
fn from_cache(
    settings: &HubSettings,
    name: &RepositoryName,
    contents: Contents,
    cache: &RepositoryCache,
) -> Result<Snapshot, Error> {
    let commit = cache.known_commit(name);
    let lacks = match &commit {
        Some(commit) => cache.lacks(name, |listing| Needed::of(name, contents, listing), commit),
        None => Some(String::new()),
    };
    match (commit, lacks) {
        (Some(commit), None) => Ok(snapshot(name, cache, commit)),
        (_, lacks) => Err(Error::NotCached {
            name: name.to_string(),
            cache: settings.cache.clone(),
            lacks: lacks.unwrap_or_default(),
        }),
    }
}

/// Downloads what is missing; returns how many bytes of files that were.
fn download(
    settings: &HubSettings,
    name: &RepositoryName,
    cache: &RepositoryCache,
    client: &Client<'_>,
    (listing, mut needed): (&Listing, Needed),
    on_event: &mut dyn FnMut(HubEvent<'_>),
) -> Result<u64, Error> {
    let commit = &listing.commit;
    // The list of shards before anything is counted.
    let mut listed = 0;
    if needed.index.is_some() {
        let index: Vec<&RemoteFile> = listing
            .files
            .iter()
            .filter(|file| file.path == INDEX)
            .collect();
        listed = all(
            settings,
            name,
            cache,
            client,
            (commit, &index),
            &mut |event| {
                // So small that only what goes wrong is of interest.
                if matches!(event, HubEvent::Retry { .. } | HubEvent::Waiting { .. }) {
                    on_event(event);
                }
            },
        )?;
        let path = cache.snapshot(commit).join(INDEX);
        let content = fs::read(&path).map_err(Error::reading(&path))?;
        needed
            .add_shards(&content, listing)
            .map_err(|reason| Error::Answer {
                url: name.to_string(),
                reason,
            })?;
    }
    let of_path = |path: &String| listing.files.iter().find(|file| file.path == *path);
    let files: Vec<&RemoteFile> = needed.paths().filter_map(of_path).collect();
    Ok(listed + all(settings, name, cache, client, (commit, &files), on_event)?)
}

fn all(
    settings: &HubSettings,
    name: &RepositoryName,
    cache: &RepositoryCache,
    client: &Client<'_>,
    (commit, files): (&str, &[&RemoteFile]),
    on_event: &mut dyn FnMut(HubEvent<'_>),
) -> Result<u64, Error> {
    let mut missing = Vec::new();
    for file in files.iter().filter(|file| !cache.has(commit, &file.path)) {
        match cache.blob(file).is_file() {
            // Of another commit, with the same content.
            true => cache.link(commit, file)?,
            false => missing.push(*file),
        }
    }
    if missing.is_empty() {
        return Ok(0);
    }
    let total = missing.iter().map(|file| file.bytes).sum();
    let begun =
        |file: &&RemoteFile| fs::metadata(cache.incomplete(file)).map_or(0, |there| there.len());
    on_event(HubEvent::Begin {
        name: name.repository(),
        files: missing.len(),
        have: missing.iter().map(begun).sum::<u64>().min(total),
        total,
    });
    let mut download = Download {
        settings,
        name,
        cache,
        client,
        commit,
        on_event,
        done: 0,
        total,
    };
    for file in missing {
        download.file(file)?;
    }
    Ok(total)
}
