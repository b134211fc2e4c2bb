//! `items.parquet`: a row a completion, with problem, prompt and both verdicts. Without arrow: rows
//! of flat columns, in groups, packed with zstd.

use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use crate::{Export, File, FinishedRun, Judged};

/// Rows of a group: what a reader unpacks at once.
const ROWS: usize = 4096;

/// A column, by what its values are.
enum Column {
    Text(fn(&FinishedRun, &Judged<'_>) -> Option<String>),
    Number(fn(&Judged<'_>) -> i64),
    Truth(fn(&Judged<'_>) -> bool),
}

/// Name, and the value of a row.
fn columns() -> Vec<(&'static str, Column)> {
    use Column::{Number, Text, Truth};
    vec![
        ("id", Text(|_, item| Some(item.problem.id.clone()))),
        ("set", Text(|_, item| Some(item.problem.set.clone()))),
        ("task", Text(|_, item| Some(item.problem.task.clone()))),
        ("sample", Number(|item| i64::from(item.completion.sample))),
        (
            "question",
            Text(|_, item| Some(item.problem.question.clone())),
        ),
        (
            "reference",
            Text(|_, item| Some(item.problem.reference.clone())),
        ),
        (
            "prompt",
            Text(|run, item| {
                run.prompts
                    .get(item.place)
                    .filter(|text| !text.is_empty())
                    .cloned()
            }),
        ),
        (
            "completion",
            Text(|_, item| Some(item.completion.completion.clone())),
        ),
        ("thinking", Text(|_, item| item.completion.thinking.clone())),
        (
            "finish_reason",
            Text(|_, item| named(&item.completion.finish_reason)),
        ),
        (
            "prompt_tokens",
            Number(|item| item.completion.prompt_tokens as i64),
        ),
        (
            "completion_tokens",
            Number(|item| item.completion.completion_tokens as i64),
        ),
        (
            "official_correct",
            Truth(|item| item.verdict.official.correct),
        ),
        (
            "official_verdict",
            Text(|_, item| named(&item.verdict.official.verdict)),
        ),
        (
            "official_answer",
            Text(|_, item| item.verdict.official.prediction.clone()),
        ),
        ("strict_correct", Truth(|item| item.verdict.strict.correct)),
        (
            "strict_verdict",
            Text(|_, item| named(&item.verdict.strict.verdict)),
        ),
        (
            "strict_answer",
            Text(|_, item| item.verdict.strict.answer.clone()),
        ),
        ("error", Text(|_, item| item.completion.error.clone())),
    ]
}

/// A value as the files of a run name it.
fn named(value: &impl serde::Serialize) -> Option<String> {
    let value = serde_json::to_value(value).ok()?;
    value.as_str().map(str::to_string)
}

pub(crate) fn export(run: &FinishedRun) -> Export {
    let content = write(run).expect("writing parquet to memory does not fail");
    Export {
        files: vec![File {
            name: "items.parquet".to_string(),
            content,
        }],
        notes: Vec::new(),
    }
}

fn write(run: &FinishedRun) -> Result<Vec<u8>, ParquetError> {
    let columns = columns();
    let fields: Vec<String> = columns
        .iter()
        .map(|(name, column)| match column {
            Column::Text(_) => format!("optional binary {name} (UTF8);"),
            Column::Number(_) => format!("required int64 {name};"),
            Column::Truth(_) => format!("required boolean {name};"),
        })
        .collect();
    let schema = parse_message_type(&format!("message items {{ {} }}", fields.join(" ")))?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by(format!("mwpbench {}", run.manifest.version))
        .build();
    let mut content = Vec::new();
    let mut writer =
        SerializedFileWriter::new(&mut content, Arc::new(schema), Arc::new(properties))?;
    let judged: Vec<Judged<'_>> = run.by_task().into_iter().flat_map(|(_, own)| own).collect();
    for rows in judged.chunks(ROWS) {
        let mut group = writer.next_row_group()?;
        for (_, column) in &columns {
            let Some(mut out) = group.next_column()? else {
                break; // there are as many as fields in the schema
            };
            write_column(run, column, rows, out.untyped())?;
            out.close()?;
        }
        group.close()?;
    }
    writer.close()?;
    Ok(content)
}

fn write_column(
    run: &FinishedRun,
    column: &Column,
    rows: &[Judged<'_>],
    out: &mut ColumnWriter<'_>,
) -> Result<(), ParquetError> {
    match (column, out) {
        (Column::Text(value), ColumnWriter::ByteArrayColumnWriter(out)) => {
            let values: Vec<Option<String>> = rows.iter().map(|item| value(run, item)).collect();
            let levels: Vec<i16> = values
                .iter()
                .map(|value| i16::from(value.is_some()))
                .collect();
            let values: Vec<ByteArray> = values
                .into_iter()
                .flatten()
                .map(|text| ByteArray::from(text.into_bytes()))
                .collect();
            out.write_batch(&values, Some(&levels), None)?;
        }
        (Column::Number(value), ColumnWriter::Int64ColumnWriter(out)) => {
            let values: Vec<i64> = rows.iter().map(value).collect();
            out.write_batch(&values, None, None)?;
        }
        (Column::Truth(value), ColumnWriter::BoolColumnWriter(out)) => {
            let values: Vec<bool> = rows.iter().map(value).collect();
            out.write_batch(&values, None, None)?;
        }
        _ => unreachable!("the schema is made of the columns"),
    }
    Ok(())
}
