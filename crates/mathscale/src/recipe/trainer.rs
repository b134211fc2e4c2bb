//! The trainers, and what each is like.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::memory::{Layout, Sharding};

/// A program that fine-tunes language models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trainer {
    /// TRL, Hugging Face.
    Trl,
    /// axolotl.
    Axolotl,
    /// LLaMA-Factory.
    LlamaFactory,
    /// torchtune.
    Torchtune,
}

impl Trainer {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Trl,
        Self::Axolotl,
        Self::LlamaFactory,
        Self::Torchtune,
    ];

    /// Its name on the command line and in names of folders.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trl => "trl",
            Self::Axolotl => "axolotl",
            Self::LlamaFactory => "llama-factory",
            Self::Torchtune => "torchtune",
        }
    }

    /// Its name as its authors write it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Trl => "TRL",
            Self::Axolotl => "axolotl",
            Self::LlamaFactory => "LLaMA-Factory",
            Self::Torchtune => "torchtune",
        }
    }

    /// How weights, gradients and optimizer states lie on the devices.
    ///
    /// TRL, axolotl and LLaMA-Factory train all weights in mixed precision: float32 weights that the
    /// optimizer changes, shared by several devices. torchtune's recipes compute in bfloat16
    /// throughout, and so does axolotl on a single device.
    pub(crate) fn layout(self, lora: bool, devices: usize) -> Layout {
        let shared = match (self, lora) {
            _ if devices < 2 => Sharding::None,
            // Adapters are small: each device has the whole model.
            (Self::Trl | Self::Axolotl | Self::LlamaFactory, true) => Sharding::None,
            (Self::LlamaFactory, false) => Sharding::Zero3,
            _ => Sharding::Fsdp,
        };
        let plain_bf16 = self == Self::Torchtune || (self == Self::Axolotl && !lora && devices < 2);
        match plain_bf16 {
            true => Layout::bfloat16(shared),
            false => Layout::mixed(shared),
        }
    }
}

impl fmt::Display for Trainer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}
