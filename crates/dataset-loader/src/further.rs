//! The further sets: those that people report beside MwpBench. They are asked where a list of tasks
//! or a suite names them, and take part in none of MwpBench's averages.

/// Name, description and bundled problems of a set.
pub(crate) struct FurtherSet {
    /// Its name, and that of its folder.
    pub(crate) name: &'static str,
    /// Its `dataset.toml`.
    pub(crate) description: &'static str,
    /// Its `sample.jsonl`.
    pub(crate) bundled: &'static str,
}

macro_rules! further {
    ($($name:literal,)+) => {
        [$(FurtherSet {
            name: $name,
            description: include_str!(concat!("../../../datasets/", $name, "/dataset.toml")),
            bundled: include_str!(concat!("../../../datasets/", $name, "/sample.jsonl")),
        },)+]
    };
}

/// The further sets, in the order in which they are listed everywhere.
pub(crate) const FURTHER: [FurtherSet; 13] = further![
    "math_500",
    "aime_2024",
    "aime_2025",
    "amc_2023",
    "minerva_math",
    "olympiadbench",
    "gaokao_2023_en",
    "svamp",
    "asdiv",
    "mawps",
    "cmath",
    "sat_math_qwen",
    "aqua",
];
