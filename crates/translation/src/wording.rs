//! What the model is asked.

use jobs::UnreadableReply;

/// What is translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Question,
    Answer,
}

/// The instruction for one text; after a refused reply with the reason.
pub(crate) fn instruction(part: Part, text: &str, refusal: Option<&UnreadableReply>) -> String {
    let what = match part {
        Part::Question => "problem",
        Part::Answer => "answer to a problem",
    };
    let mut instruction = format!(
        "Translate the mathematics {what} below from Chinese into English. Keep every formula exactly as it is written, with its LaTeX. \
         Keep every number, in digits, and add none. Keep the numbering of its parts. Do not solve anything and do not explain anything: \
         write the translation and nothing else.\n\n{text}"
    );
    if let Some(refusal) = refusal {
        instruction.push_str(&format!(
            "\n\nAn earlier translation could not be used: {}. It read:\n\n{}\n\nTranslate the {what} again, without that fault.",
            refusal.reason,
            refusal.text.trim()
        ));
    }
    instruction
}

/// BLAKE3 (hex) of the wording around a text.
pub(crate) fn wording_digest() -> String {
    let refusal = UnreadableReply {
        text: String::new(),
        reason: String::new(),
    };
    let of_part = |part| instruction(part, "", None) + &instruction(part, "", Some(&refusal));
    blake3::hash((of_part(Part::Question) + &of_part(Part::Answer)).as_bytes())
        .to_hex()
        .to_string()
}
