//! GGUF files made by a test, version 3 (ggml, `docs/gguf.md`).

use std::collections::BTreeMap;

/// Hidden size of [`GgufWriter::small_llama`].
const WIDTH: usize = 32;
const ALIGNMENT: usize = 32;

/// A value of the metadata.
#[derive(Clone)]
pub enum Value {
    U32(u32),
    I32(i32),
    F32(f32),
    Flag(bool),
    Text(String),
    Texts(Vec<String>),
    Integers(Vec<i32>),
}

impl Value {
    pub fn text(text: &str) -> Self {
        Self::Text(text.to_string())
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        const LIST: u32 = 9;
        let number = |bytes: &mut Vec<u8>, number: u32| bytes.extend(number.to_le_bytes());
        let text = |bytes: &mut Vec<u8>, text: &str| write_text(bytes, text);
        match self {
            Self::U32(value) => {
                number(bytes, 4);
                number(bytes, *value);
            }
            Self::I32(value) => {
                number(bytes, 5);
                bytes.extend(value.to_le_bytes());
            }
            Self::F32(value) => {
                number(bytes, 6);
                bytes.extend(value.to_le_bytes());
            }
            Self::Flag(value) => {
                number(bytes, 7);
                bytes.push(u8::from(*value));
            }
            Self::Text(value) => {
                number(bytes, 8);
                text(bytes, value);
            }
            Self::Texts(values) => {
                number(bytes, LIST);
                number(bytes, 8);
                bytes.extend((values.len() as u64).to_le_bytes());
                values.iter().for_each(|value| text(bytes, value));
            }
            Self::Integers(values) => {
                number(bytes, LIST);
                number(bytes, 5);
                bytes.extend((values.len() as u64).to_le_bytes());
                values
                    .iter()
                    .for_each(|value| bytes.extend(value.to_le_bytes()));
            }
        }
    }
}

fn write_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as u64).to_le_bytes());
    bytes.extend(text.as_bytes());
}

/// A file of metadata and of tensors of f32, all zero.
pub struct GgufWriter {
    metadata: BTreeMap<String, Value>,
    /// Names and shapes, the rows first.
    tensors: Vec<(String, Vec<usize>)>,
}

impl GgufWriter {
    /// A LLaMA of one layer, without a tokenizer.
    pub fn small_llama(vocabulary: usize) -> Self {
        let mut gguf = Self {
            metadata: BTreeMap::new(),
            tensors: Vec::new(),
        };
        gguf.set("general.architecture", Value::text("llama"));
        let width = WIDTH as u32;
        for (name, value) in [
            ("context_length", 4096),
            ("embedding_length", width),
            ("block_count", 1),
            ("feed_forward_length", width),
            ("attention.head_count", 1),
        ] {
            gguf.set(&format!("llama.{name}"), Value::U32(value));
        }
        gguf.set("llama.attention.layer_norm_rms_epsilon", Value::F32(1e-5));
        gguf.tensors
            .push(("token_embd.weight".to_string(), vec![vocabulary, WIDTH]));
        gguf.tensors
            .push(("output_norm.weight".to_string(), vec![WIDTH]));
        for name in ["attn_norm", "ffn_norm"] {
            gguf.tensors
                .push((format!("blk.0.{name}.weight"), vec![WIDTH]));
        }
        for name in [
            "attn_q",
            "attn_k",
            "attn_v",
            "attn_output",
            "ffn_gate",
            "ffn_up",
            "ffn_down",
        ] {
            gguf.tensors
                .push((format!("blk.0.{name}.weight"), vec![WIDTH, WIDTH]));
        }
        gguf
    }

    pub fn set(&mut self, key: &str, value: Value) {
        self.metadata.insert(key.to_string(), value);
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = b"GGUF".to_vec();
        bytes.extend(3u32.to_le_bytes());
        bytes.extend((self.tensors.len() as u64).to_le_bytes());
        bytes.extend((self.metadata.len() as u64).to_le_bytes());
        for (key, value) in &self.metadata {
            write_text(&mut bytes, key);
            value.write(&mut bytes);
        }
        let mut offset = 0;
        for (name, shape) in &self.tensors {
            write_text(&mut bytes, name);
            bytes.extend((shape.len() as u32).to_le_bytes());
            shape
                .iter()
                .rev()
                .for_each(|size| bytes.extend((*size as u64).to_le_bytes()));
            bytes.extend(0u32.to_le_bytes());
            bytes.extend((offset as u64).to_le_bytes());
            offset += (4 * shape.iter().product::<usize>()).next_multiple_of(ALIGNMENT);
        }
        let weights = bytes.len().next_multiple_of(ALIGNMENT);
        bytes.resize(weights + offset, 0);
        bytes
    }
}
