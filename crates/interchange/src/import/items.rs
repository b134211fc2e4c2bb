//! Records → items, each with as many samples as the others.

use std::collections::HashMap;

use super::error::{ImportError, ImportErrorKind};
use super::{At, Record};

/// One item of a task with its samples.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) task: String,
    pub(crate) id: String,
    pub(crate) samples: Vec<Record>,
}

impl Item {
    fn first(&self) -> &Record {
        &self.samples[0] // an item begins with a record
    }

    pub(crate) fn at(&self) -> &At {
        &self.first().at
    }

    pub(crate) fn question(&self) -> Option<&str> {
        self.first()
            .question
            .as_deref()
            .filter(|text| !text.trim().is_empty())
    }

    pub(crate) fn reference(&self) -> Option<&str> {
        self.first().reference.as_deref()
    }

    pub(crate) fn prompt(&self) -> Option<&str> {
        self.first().prompt.as_deref()
    }
}

/// The items of records, in the order in which they first occur. Records with the same id in a task
/// are samples of one item if they say which; without ids every record is an item, unless every
/// question occurs as often as every other one.
///
/// # Errors
/// An item twice, with two questions, or with another number of samples than the others.
pub(crate) fn items(records: Vec<Record>) -> Result<Vec<Item>, ImportError> {
    let mut by_task: Vec<(String, Vec<Record>)> = Vec::new();
    for record in records {
        match by_task.iter_mut().find(|(task, _)| *task == record.task) {
            Some((_, own)) => own.push(record),
            None => by_task.push((record.task.clone(), vec![record])),
        }
    }
    let mut items = Vec::new();
    for (task, records) in by_task {
        items.extend(items_of_task(&task, records)?);
    }
    same_number_of_samples(&items)?;
    Ok(items)
}

fn items_of_task(task: &str, mut records: Vec<Record>) -> Result<Vec<Item>, ImportError> {
    let implicit = give_ids(&mut records);
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut items: Vec<Item> = Vec::new();
    for record in records {
        let id = record.id.clone().unwrap_or_default();
        let Some(&place) = places.get(&id) else {
            places.insert(id.clone(), items.len());
            items.push(Item {
                task: task.to_string(),
                id,
                samples: vec![record],
            });
            continue;
        };
        let item = &mut items[place];
        let first = item.first();
        let described = |at: &At| match at.file == record.at.file {
            true => at.place.clone(),
            false => format!("{}, {}", at.file.display(), at.place),
        };
        if record.question != first.question || record.reference != first.reference {
            let kind = ImportErrorKind::OtherQuestion {
                first: described(&first.at),
                task: item.task.clone(),
                id,
            };
            return Err(ImportError::at(&record.at, kind));
        }
        let before = item
            .samples
            .iter()
            .find(|other| other.sample == record.sample);
        if let Some(before) = before.filter(|_| !implicit) {
            let kind = ImportErrorKind::Twice {
                first: described(&before.at),
                task: item.task.clone(),
                id,
            };
            return Err(ImportError::at(&record.at, kind));
        }
        item.samples.push(record);
    }
    for item in &mut items {
        // A stable sort: records without a number stay in their order.
        item.samples.sort_by_key(|record| record.sample);
    }
    Ok(items)
}

/// Gives ids to records that have none. Gives whether equal ids are samples that no number tells
/// apart.
fn give_ids(records: &mut [Record]) -> bool {
    if records.iter().any(|record| record.id.is_some()) {
        // Where only some have one, the others are called by their place, which no id looks like.
        for record in records.iter_mut().filter(|record| record.id.is_none()) {
            record.id = Some(record.at.place.clone());
        }
        return false;
    }
    let text = |record: &Record| record.question.clone().or_else(|| record.prompt.clone());
    let mut counts: HashMap<Option<String>, usize> = HashMap::new();
    for record in records.iter() {
        *counts.entry(text(record)).or_default() += 1;
    }
    let numbered = records.iter().all(|record| record.sample.is_some());
    let often = counts.values().next().copied().unwrap_or(1);
    let all_as_often = often > 1 && counts.values().all(|count| *count == often);
    let by_text = !counts.contains_key(&None) && (numbered || all_as_often);
    let mut numbers: HashMap<String, usize> = HashMap::new();
    for (place, record) in records.iter_mut().enumerate() {
        let number = match text(record).filter(|_| by_text) {
            Some(text) => {
                let next = numbers.len() + 1;
                *numbers.entry(text).or_insert(next)
            }
            None => place + 1,
        };
        record.id = Some(number.to_string());
    }
    by_text && !numbered
}

fn same_number_of_samples(items: &[Item]) -> Result<(), ImportError> {
    let mut counts: HashMap<usize, usize> = HashMap::new();
    for item in items {
        *counts.entry(item.samples.len()).or_default() += 1;
    }
    let most = counts
        .iter()
        .max_by_key(|(samples, items)| (**items, **samples));
    let expected = most.map_or(1, |(samples, _)| *samples);
    match items.iter().find(|item| item.samples.len() != expected) {
        None => Ok(()),
        Some(item) => {
            let kind = ImportErrorKind::Samples {
                id: item.id.clone(),
                task: item.task.clone(),
                found: item.samples.len(),
                expected,
            };
            Err(ImportError::at(item.at(), kind))
        }
    }
}
