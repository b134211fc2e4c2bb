//! `mwpbench data fetch`: published files, checked.

mod display; // bytes, rate and time left

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use dataset_fetcher::{DownloadPolicy, FetchRequest, Network, Origin};
use hub::{HubSettings, RepositoryName};

use crate::exit::Outcome;
use crate::{data_folder, terminal};

/// Fetch the published benchmark, or the files of the sets' own publishers, and check every byte.
///
/// Files are checked against the ids that were published before they replace anything, and are
/// listed in `mwpbench-data.lock` in the data folder. An interrupted fetch resumes.
/// Proxies (HTTPS_PROXY, HTTP_PROXY, NO_PROXY) and certificates (SSL_CERT_FILE, SSL_CERT_DIR) of
/// the environment are used. Publishers may move their files: --from helps.
#[derive(clap::Args)]
pub struct Args {
    /// Names of sets; all of MwpBench without any. The further sets (`mwpbench data list`) are fetched
    /// where they are named, from their publishers.
    #[arg(value_name = "SET")]
    sets: Vec<String>,
    /// Whose files: the benchmark's records, or what each set's own publisher gives out, for
    /// `mwpbench data import`.
    #[arg(long, value_enum, default_value = "mwpbench")]
    published_by: PublishedBy,
    /// Fetch from a folder, a mirror's address, or a public repository of data on the hub
    /// (hf://datasets/org/name@revision/folder) instead, under the names that the files have in a
    /// data folder.
    #[arg(long, value_name = "DIR|URL|hf://…")]
    from: Option<String>,
    /// Fetch training splits too; they are never evaluated.
    #[arg(long)]
    train: bool,
    /// The folder to fetch into; the data folder without it.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Replace files that have another content, and accept what a publisher has changed.
    #[arg(long)]
    force: bool,
    /// Attempts in a row without a byte before a file is given up.
    #[arg(long, value_name = "N", default_value_t = DownloadPolicy::default().max_attempts, value_parser = clap::value_parser!(u32).range(1..=60))]
    attempts: u32,
    /// Idle timeout of a connection in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = DownloadPolicy::default().idle_timeout.as_secs(), value_parser = clap::value_parser!(u64).range(1..=3600))]
    idle_timeout: u64,
    #[command(flatten)]
    printing: terminal::PrintArgs,
}

#[derive(Clone, Copy, ValueEnum)]
enum PublishedBy {
    Mwpbench,
    Publisher,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let Some(folder) = args.data.or_else(data_folder::path) else {
        anyhow::bail!("this system names no data directory: give --data, or set MWPBENCH_HOME");
    };
    let request = FetchRequest {
        sets: args.sets,
        published_by: match args.published_by {
            PublishedBy::Mwpbench => dataset_fetcher::PublishedBy::Mwpbench,
            PublishedBy::Publisher => dataset_fetcher::PublishedBy::Publisher,
        },
        train: args.train,
        from: args.from.as_deref().map(origin).transpose()?,
        force: args.force,
        policy: DownloadPolicy {
            max_attempts: args.attempts,
            idle_timeout: Duration::from_secs(args.idle_timeout),
            ..DownloadPolicy::default()
        },
        network: Network::from_environment(),
        ..FetchRequest::new(folder)
    };
    let mut display = display::FetchDisplay::new(args.printing.quiet);
    let fetched = dataset_fetcher::fetch(&request, &mut |event| display.update(&event));
    display.clear();
    let report = fetched?;
    args.printing.print(&report, || {
        reporting::fetched_text(&report, terminal::width())
    })?;
    Ok(Outcome::Done)
}

/// A folder, a mirror, or a repository of data, whose files the hub gives out as a mirror does.
fn origin(given: &str) -> anyhow::Result<Origin> {
    match RepositoryName::parse(given).filter(|_| given.starts_with("hf://")) {
        Some(name) => {
            let name = name?;
            anyhow::ensure!(
                name.is_dataset(),
                "{given} is a repository of a model: data are in hf://datasets/org/name"
            );
            let settings = HubSettings::from_environment()?;
            Ok(Origin::parse(&settings.files_address(&name))?)
        }
        None => Ok(Origin::parse(given)?),
    }
}
