//! JSON Schemas of the files, from the types that write and read them.

use dataset_loader::Problem;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::json;

use crate::baseline::Baseline;
use crate::manifest::RunManifest;
use crate::offline::{OfflineAnswer, ScoredAnswer};
use crate::record::{CompletionRecord, PromptRecord, VerdictRecord};
use crate::summary::Summary;

/// Each file's name in `docs/schemas`, and the schema (draft 2020-12) of the file or of a line of it.
pub fn schemas() -> Vec<(&'static str, Schema)> {
    vec![
        ("run", schema_of::<RunManifest>()),
        ("problem", schema_of::<Problem>()),
        ("prompt", schema_of::<PromptRecord>()),
        ("completion", with_checksum(schema_of::<CompletionRecord>())),
        ("verdict", schema_of::<VerdictRecord>()),
        ("summary", schema_of::<Summary>()),
        ("baseline", schema_of::<Baseline>()),
        ("score-input", schema_of::<OfflineAnswer>()),
        ("score-output", schema_of::<ScoredAnswer>()),
    ]
}

/// What this program writes of a type.
fn schema_of<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<T>()
}

/// A line of a journal ends with its checksum, which is no field of the record.
fn with_checksum(mut schema: Schema) -> Schema {
    let object = schema.ensure_object();
    object["properties"]["check"] = json!({
        "description": "First half (32 digits) of BLAKE3 (hex) over the line without this field and the newline.",
        "type": "string"
    });
    if let Some(required) = object["required"].as_array_mut() {
        required.push(json!("check"));
    }
    schema
}
