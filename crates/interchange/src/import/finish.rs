//! Why a completion ended, in the words of servers and harnesses.

use generation::FinishReason;

/// The reason of this name; `None` for one that is not known.
pub(crate) fn reason(name: &str) -> Option<FinishReason> {
    match name.trim().to_ascii_lowercase().as_str() {
        "eos" | "stop" | "end_turn" | "eos_token" | "end" | "complete" | "completed" => {
            Some(FinishReason::Eos)
        }
        "stop_sequence" | "stop_string" => Some(FinishReason::Stop),
        "length" | "max_tokens" | "max_length" | "model_length" | "max_output_tokens"
        | "max_new_tokens" => Some(FinishReason::Length),
        "error" | "abort" | "cancelled" => Some(FinishReason::Error),
        _ => None,
    }
}
