use std::fs;
use std::sync::Mutex;

use hub::{Contents, Error, HubEvent, RepositoryName};

use crate::server::{
    COMMIT, Hub, checkpoint, fetch, fetch_telling, files_of, sha256, well_behaved,
};

#[test]
fn what_is_needed_lies_where_the_hubs_own_client_looks_for_it() {
    let (hub, cache) = (Hub::ordinary(), tempfile::tempdir().unwrap());
    let snapshot = fetch(&hub.settings(cache.path(), &[]), "org/name").unwrap();
    let repository = cache.path().join("models--org--name");
    assert_eq!(snapshot.path, repository.join("snapshots").join(COMMIT));
    assert_eq!(
        (snapshot.repository.as_str(), snapshot.commit.as_str()),
        ("org/name", COMMIT)
    );
    let mut wanted = checkpoint();
    for unneeded in [
        ".gitattributes",
        "README.md",
        "pytorch_model.bin",
        "original/consolidated.00.pth",
    ] {
        wanted.remove(unneeded);
    }
    let there = files_of(&snapshot.path);
    assert_eq!(
        there.keys().collect::<Vec<_>>(),
        wanted.keys().collect::<Vec<_>>()
    );
    for (path, file) in &wanted {
        assert!(there[path] == file.content, "{path}");
        assert!(
            repository.join("blobs").join(file.checksum()).is_file(),
            "{path}"
        );
    }
    assert_eq!(
        fs::read_to_string(repository.join("refs/main")).unwrap(),
        COMMIT
    );
    #[cfg(unix)]
    {
        let link =
            fs::read_link(snapshot.path.join("additional_chat_templates/rag.jinja")).unwrap();
        let text = &wanted["additional_chat_templates/rag.jinja"];
        assert_eq!(
            link.to_str().unwrap(),
            format!("../../../blobs/{}", text.checksum())
        );
    }
    // The second time the list alone is asked for; without a network nothing is.
    let before = (hub.hub.requests().len(), hub.cdn.requests().len());
    assert_eq!(
        fetch(&hub.settings(cache.path(), &[]), "org/name").unwrap(),
        snapshot
    );
    assert_eq!(
        (hub.hub.requests().len(), hub.cdn.requests().len()),
        (before.0 + 1, before.1)
    );
    let offline = hub.settings(cache.path(), &[("HF_HUB_OFFLINE", "1")]);
    for name in ["org/name", &format!("org/name@{COMMIT}")] {
        assert_eq!(fetch(&offline, name).unwrap(), snapshot);
    }
    assert_eq!(hub.hub.requests().len(), before.0 + 1);
}

#[test]
fn the_token_goes_to_the_hub_and_not_to_the_cdn() {
    let (hub, cache) = (Hub::ordinary(), tempfile::tempdir().unwrap());
    fetch(
        &hub.settings(cache.path(), &[("HF_TOKEN", "hf_x")]),
        "org/name",
    )
    .unwrap();
    let (at_hub, at_cdn) = (hub.hub.requests(), hub.cdn.requests());
    assert!(
        at_hub
            .iter()
            .all(|request| request.header("authorization") == Some("Bearer hf_x"))
    );
    assert!(!at_cdn.is_empty());
    assert!(
        at_cdn
            .iter()
            .all(|request| request.header("authorization").is_none())
    );
}

#[test]
fn a_broken_download_is_continued_with_a_range() {
    // The first answer of the CDN breaks off in the middle, whatever it is of.
    let hub = Hub::start(checkpoint(), well_behaved, |request, number, stream| {
        if number > 0 {
            return Ok(false);
        }
        let files = checkpoint();
        let name = request
            .target
            .trim_start_matches('/')
            .split('?')
            .next()
            .unwrap();
        let file = files.values().find(|file| file.checksum() == name).unwrap();
        let rest = loopback::files::begin(request, stream, &file.content, "\"x\"")?;
        std::io::Write::write_all(stream, &rest[..rest.len() / 2])?;
        Ok(true)
    });
    let cache = tempfile::tempdir().unwrap();
    let retries = Mutex::new(0);
    let snapshot = fetch_telling(&hub.settings(cache.path(), &[]), "org/name", &mut |event| {
        if let HubEvent::Retry { .. } = event {
            *retries.lock().unwrap() += 1;
        }
    });
    let snapshot = snapshot.unwrap();
    assert_eq!(*retries.lock().unwrap(), 1);
    assert_eq!(hub.cdn.requests()[1].range(), Some(1500));
    assert!(files_of(&snapshot.path)["tokenizer.json"] == checkpoint()["tokenizer.json"].content);
}

#[test]
fn what_an_earlier_process_left_is_continued_or_thrown_away() {
    let (hub, cache) = (Hub::ordinary(), tempfile::tempdir().unwrap());
    let blobs = cache.path().join("models--org--name/blobs");
    fs::create_dir_all(&blobs).unwrap();
    let files = checkpoint();
    let shards = [
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
    ]
    .map(|path| &files[path]);
    // The start of the one, and something else in place of the start of the other.
    fs::write(
        blobs.join(format!("{}.incomplete", shards[0].checksum())),
        &shards[0].content[..150_000],
    )
    .unwrap();
    fs::write(
        blobs.join(format!("{}.incomplete", shards[1].checksum())),
        vec![0; 1000],
    )
    .unwrap();
    let snapshot = fetch(&hub.settings(cache.path(), &[]), "org/name").unwrap();
    let there = files_of(&snapshot.path);
    for (path, file) in &files {
        assert!(
            there
                .get(path)
                .is_none_or(|content| *content == file.content),
            "{path}"
        );
    }
    let ranges = |checksum: String| {
        let requests = hub.cdn.requests().into_iter();
        let of_file = requests.filter(move |request| request.target.contains(&checksum));
        of_file.map(|request| request.range()).collect::<Vec<_>>()
    };
    assert_eq!(ranges(shards[0].checksum()), [Some(150_000)]);
    assert_eq!(ranges(shards[1].checksum()), [Some(1000), None]);
}

#[test]
fn several_processes_download_each_file_once() {
    let (hub, cache) = (Hub::ordinary(), tempfile::tempdir().unwrap());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| fetch(&hub.settings(cache.path(), &[]), "org/name").unwrap());
        }
    });
    let mut given = hub.given_out();
    let all = given.len();
    given.sort();
    given.dedup();
    assert_eq!((given.len(), all), (3, 3));
}

#[test]
fn revisions_old_names_and_contents_of_other_commits_are_used() {
    let (hub, cache) = (Hub::ordinary(), tempfile::tempdir().unwrap());
    let settings = hub.settings(cache.path(), &[]);
    fetch(&settings, "org/name@refs/pr/1").unwrap();
    let reference = cache.path().join("models--org--name/refs/refs/pr/1");
    assert_eq!(fs::read_to_string(reference).unwrap(), COMMIT);
    // Under the old name of the repository: the hub sends us on.
    fetch(&settings, "org/old").unwrap();
    assert!(cache.path().join("models--org--old/refs/main").is_file());
    // A commit of which the contents are there under another one.
    let given = hub.given_out().len();
    fs::remove_dir_all(cache.path().join("models--org--name/snapshots")).unwrap();
    fetch(&settings, "org/name").unwrap();
    assert_eq!(hub.given_out().len(), given);
}

#[test]
fn one_file_is_fetched_where_one_is_named() {
    let (hub, cache) = (Hub::ordinary(), tempfile::tempdir().unwrap());
    let settings = hub.settings(cache.path(), &[]);
    let name = RepositoryName::parse("hf://org/name/README.md")
        .unwrap()
        .unwrap();
    let snapshot = hub::fetch(&settings, &name, Contents::File, &mut |_| ()).unwrap();
    assert_eq!(fs::read_to_string(&snapshot.path).unwrap(), "read me");
    assert_eq!(hub.hub.requests().len(), 2);
}

#[test]
fn without_a_network_what_is_in_the_cache_serves_if_it_is_whole() {
    let (hub, cache) = (Hub::ordinary(), tempfile::tempdir().unwrap());
    let whole = fetch(&hub.settings(cache.path(), &[]), "org/name").unwrap();
    let url = hub.hub.url();
    drop(hub);
    let mut told = None;
    let gone = crate::server::settings(&url, cache.path(), &[]);
    let found = fetch_telling(&gone, "org/name", &mut |event| {
        if let HubEvent::FromCache { commit, reason, .. } = event {
            told = Some((commit.to_string(), reason.to_string()));
        }
    });
    assert_eq!(found.unwrap(), whole);
    let (commit, reason) = told.unwrap();
    assert!(
        commit == COMMIT && reason.contains("no connection"),
        "{reason}"
    );
    // One shard less, and it is not whole any more.
    let shard = checkpoint()["model-00002-of-00002.safetensors"]
        .content
        .clone();
    fs::remove_file(
        cache
            .path()
            .join("models--org--name/blobs")
            .join(sha256(&shard)),
    )
    .unwrap();
    assert!(matches!(
        fetch(&gone, "org/name"),
        Err(Error::Unreachable { .. })
    ));
    let offline = crate::server::settings(&url, cache.path(), &[("HF_HUB_OFFLINE", "on")]);
    let text = fetch(&offline, "org/name").unwrap_err().to_string();
    assert!(
        text.contains("it lacks model-00002-of-00002.safetensors"),
        "{text}"
    );
    let text = fetch(&offline, "org/other").unwrap_err().to_string();
    assert!(
        text.contains("org/other is not whole in the cache"),
        "{text}"
    );
}
