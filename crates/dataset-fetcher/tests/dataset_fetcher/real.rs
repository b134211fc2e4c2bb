use std::path::PathBuf;

use dataset_fetcher::{
    CheckResult, FetchRequest, Origin, PublishedBy, Trust, fetch, sources, verify,
};

/// The folder of real data.
fn shared() -> PathBuf {
    match std::env::var_os("MWPBENCH_SHARED_DATA") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
    }
}

#[test]
#[ignore = "needs the real data ($MWPBENCH_SHARED_DATA)"]
fn publishers_files_have_the_ids_of_the_table() {
    let shared = shared();
    let data = tempfile::tempdir().unwrap();
    let mut request = FetchRequest::new(data.path().to_path_buf());
    request.published_by = PublishedBy::Publisher;
    request.train = true;
    request.sets = [
        "gsm8k",
        "tal",
        "ape210k",
        "gaokao_bench",
        "agieval_gaokao",
        "agieval_sat",
        "agieval_math",
    ]
    .map(str::to_string)
    .to_vec();
    request.from = Some(Origin::Folder(shared));
    let report = fetch(&request, &mut |_| ()).unwrap();
    assert_eq!(
        report.files.len(),
        sources()
            .iter()
            .filter(|source| {
                source.published_by == PublishedBy::Publisher
                    && source.sets.iter().any(|set| request.sets.contains(set))
            })
            .count()
    );
    let pinned = report
        .files
        .iter()
        .filter(|file| file.trust == Trust::PublishedId)
        .count();
    assert_eq!((pinned, report.files.len()), (8, 13));
    let sets: Vec<&str> = report
        .imports
        .iter()
        .map(|import| import.set.as_str())
        .collect();
    assert_eq!(
        sets,
        [
            "gsm8k",
            "tal",
            "ape210k",
            "gaokao_bench",
            "agieval_gaokao",
            "agieval_sat",
            "agieval_math"
        ]
    );
    assert!(
        report
            .imports
            .iter()
            .all(|import| import.folder.is_dir() && !import.has_records)
    );
    let verification = verify(data.path()).unwrap();
    assert!(
        verification
            .files
            .iter()
            .all(|file| file.check == CheckResult::Ok),
        "{verification:?}"
    );
}

#[test]
#[ignore = "needs the real data ($MWPBENCH_SHARED_DATA)"]
fn the_published_fresh_gaokao_has_its_id() {
    let shared = shared();
    let data = tempfile::tempdir().unwrap();
    let mut request = FetchRequest::new(data.path().to_path_buf());
    request.sets = vec!["fresh_gaokao_2023".to_string()];
    request.from = Some(Origin::Folder(shared.join("canonical")));
    let report = fetch(&request, &mut |_| ()).unwrap();
    assert_eq!(
        (report.files[0].bytes, report.files[0].trust),
        (9517, Trust::PublishedId)
    );
}
