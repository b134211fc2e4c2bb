//! What is asked, and how replies are read.

use store::FileError;

/// What is asked, and how replies are read. Items go by number, from 0.
pub trait JobTask {
    /// How many items there are.
    fn items(&self) -> usize;

    /// Name of an item, for messages and for the journal.
    fn id(&self, item: usize) -> String;

    /// What the generator reads. After a reply that could not be read, `unreadable` says what was
    /// wrong with it.
    ///
    /// # Errors
    /// What the item is made of cannot be read.
    fn prompt(
        &self,
        item: usize,
        unreadable: Option<&UnreadableReply>,
    ) -> Result<String, FileError>;

    /// Whether a reply can be read. It is not asked about a reply that was cut off: that one never
    /// can.
    ///
    /// # Errors
    /// What is wrong with it, in words that the generator is told when it is asked again.
    fn judge(&self, item: usize, text: &str) -> Result<(), String>;

    /// The kind of a fault, under which replies are counted: many faults quote their reply, so that
    /// hardly two are alike.
    fn kind(&self, fault: &str) -> &'static str {
        let _ = fault;
        "other"
    }
}

/// A reply that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadableReply {
    /// The reply.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}
