//! The generator against a server on loopback that behaves well, badly, or goes away.

mod asking; // ways to ask
mod connecting; // the start: models, keys, addresses, what servers say of themselves
mod faults; // each way to behave badly, alone
mod fitting; // prompts that may be too long
mod forms; // each form that a good answer may have
mod going; // servers that go away, and receivers that had enough
mod refusals; // what servers do not take, and how they are asked otherwise
mod secure; // certificates
mod special_tokens; // prompts that must reach the model as they are meant
mod storm; // 10,000 prompts, a fifth of the requests in vain
