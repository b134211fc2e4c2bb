//! The container: metadata by key, and tensors by name (ggml, `docs/gguf.md`). Versions 2 and 3,
//! little-endian.
//!
//! Nothing that a length or a count claims is allocated: values stay in the mapped file, checked
//! once, and are read from there.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, ErrorKind};
use crate::tensor_source::{Storage, WeightFile};

const MAGIC: &[u8; 4] = b"GGUF";

/// Where tensors begin, unless the metadata say otherwise, in bytes.
const ALIGNMENT: u64 = 32;

/// Depth of lists inside lists.
const MAX_DEPTH: usize = 4;

/// Dimensions of a tensor.
const MAX_DIMENSIONS: u32 = 4;

/// A GGUF file, mapped.
pub(super) struct Container {
    pub(super) file: Arc<WeightFile>,
    pub(super) metadata: Metadata,
    /// In the order of the file.
    pub(super) tensors: Vec<GgufTensor>,
}

impl std::fmt::Debug for Container {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Container")
            .field("file", &self.file_name())
            .finish_non_exhaustive()
    }
}

/// A tensor, whose bytes are all there.
pub(super) struct GgufTensor {
    pub(super) name: String,
    /// `[rows, columns]` of a matrix.
    pub(super) shape: Vec<usize>,
    pub(super) storage: Storage,
    pub(super) range: Range<usize>,
}

/// Everything of a file but its weights, as the file says it: metadata, and tensors of types that
/// need not be supported, whose bytes need not be there.
pub(super) struct Header {
    pub(super) file: Arc<WeightFile>,
    pub(super) metadata: Metadata,
    /// In the order of the file.
    pub(super) tensors: Vec<TensorInfo>,
    /// Where the weights begin, in bytes.
    pub(super) start: usize,
    alignment: usize,
}

/// A tensor as the header describes it.
pub(super) struct TensorInfo {
    pub(super) name: String,
    /// `[rows, columns]` of a matrix.
    pub(super) shape: Vec<usize>,
    /// Where it is supported, else its name.
    pub(super) storage: Result<Storage, String>,
    /// From the start of the weights, in bytes.
    pub(super) offset: u64,
}

/// Values by key.
pub(super) struct Metadata {
    file: Arc<WeightFile>,
    items: BTreeMap<String, MetadataValue>,
}

/// A value, those of some length where they lie in the file.
#[derive(Clone, Debug, PartialEq)]
enum MetadataValue {
    Number(u64),
    Negative(i64),
    Float(f64),
    Flag(bool),
    Text(Range<usize>),
    List {
        kind: u32,
        count: u64,
        range: Range<usize>,
    },
}

impl MetadataValue {
    fn kind_name(&self) -> &'static str {
        match self {
            Self::Number(_) => "a number",
            Self::Negative(_) => "a negative number",
            Self::Float(_) => "a float",
            Self::Flag(_) => "true or false",
            Self::Text(_) => "a text",
            Self::List { .. } => "a list",
        }
    }
}

pub(super) fn has_magic(path: &Path) -> bool {
    use std::io::Read;
    let mut start = [0; 4];
    std::fs::File::open(path)
        .and_then(|mut file| file.read_exact(&mut start))
        .is_ok()
        && &start == MAGIC
}

/// Where reading is.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// Why a file cannot be read on.
enum ReadError {
    /// The file ends before the value does.
    End,
    Other(ErrorKind, String),
}

type ReadResult<T> = Result<T, ReadError>;

fn damaged<T>(message: impl Into<String>) -> ReadResult<T> {
    Err(ReadError::Other(ErrorKind::Weights, message.into()))
}

impl<'a> Cursor<'a> {
    fn take(&mut self, length: u64) -> ReadResult<&'a [u8]> {
        let length = usize::try_from(length).map_err(|_| ReadError::End)?;
        let end = self.at.checked_add(length).ok_or(ReadError::End)?;
        let taken = self.bytes.get(self.at..end).ok_or(ReadError::End)?;
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> ReadResult<[u8; N]> {
        let taken = self.take(N as u64)?;
        taken.try_into().map_err(|_| ReadError::End)
    }

    fn u32(&mut self) -> ReadResult<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn u64(&mut self) -> ReadResult<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn text(&mut self) -> ReadResult<&'a str> {
        let length = self.u64()?;
        let bytes = self.take(length)?;
        std::str::from_utf8(bytes).or_else(|_| damaged("holds a text that is not UTF-8"))
    }

    /// A value of a kind.
    fn item(&mut self, kind: u32, depth: usize) -> ReadResult<MetadataValue> {
        let signed = |value: i64| {
            u64::try_from(value).map_or(MetadataValue::Negative(value), MetadataValue::Number)
        };
        Ok(match kind {
            kinds::U8 => MetadataValue::Number(u64::from(self.array::<1>()?[0])),
            kinds::I8 => signed(i64::from(self.array::<1>()?[0] as i8)),
            kinds::U16 => MetadataValue::Number(u64::from(u16::from_le_bytes(self.array()?))),
            kinds::I16 => signed(i64::from(i16::from_le_bytes(self.array()?))),
            kinds::U32 => MetadataValue::Number(u64::from(self.u32()?)),
            kinds::I32 => signed(i64::from(i32::from_le_bytes(self.array()?))),
            kinds::U64 => MetadataValue::Number(self.u64()?),
            kinds::I64 => signed(i64::from_le_bytes(self.array()?)),
            // By way of its shortest text, so that 1e-5 stays 1e-5.
            kinds::F32 => MetadataValue::Float(
                f32::from_le_bytes(self.array()?)
                    .to_string()
                    .parse()
                    .unwrap_or(f64::NAN),
            ),
            kinds::F64 => MetadataValue::Float(f64::from_le_bytes(self.array()?)),
            kinds::BOOL => match self.array::<1>()?[0] {
                0 => MetadataValue::Flag(false),
                1 => MetadataValue::Flag(true),
                other => return damaged(format!("holds the truth value {other}, neither 0 nor 1")),
            },
            kinds::TEXT => {
                let text = self.text()?;
                MetadataValue::Text(self.at - text.len()..self.at)
            }
            kinds::LIST if depth < MAX_DEPTH => {
                let (kind, count) = (self.u32()?, self.u64()?);
                let start = self.at;
                match width(kind) {
                    Some(width) => {
                        self.take(count.checked_mul(width).ok_or(ReadError::End)?)?;
                    }
                    // Each takes some bytes, so that an absurd count ends with the file.
                    None => {
                        for _ in 0..count {
                            self.item(kind, depth + 1)?;
                        }
                    }
                }
                MetadataValue::List {
                    kind,
                    count,
                    range: start..self.at,
                }
            }
            kinds::LIST => return damaged("nests lists too deeply"),
            other => return damaged(format!("has a value of the unknown type {other}")),
        })
    }
}

/// Types of metadata values.
mod kinds {
    pub const U8: u32 = 0;
    pub const I8: u32 = 1;
    pub const U16: u32 = 2;
    pub const I16: u32 = 3;
    pub const U32: u32 = 4;
    pub const I32: u32 = 5;
    pub const F32: u32 = 6;
    pub const BOOL: u32 = 7;
    pub const TEXT: u32 = 8;
    pub const LIST: u32 = 9;
    pub const U64: u32 = 10;
    pub const I64: u32 = 11;
    pub const F64: u32 = 12;
}

/// Bytes of a value whose type has one size, truth values apart, which are looked at.
fn width(kind: u32) -> Option<u64> {
    match kind {
        kinds::U8 | kinds::I8 => Some(1),
        kinds::U16 | kinds::I16 => Some(2),
        kinds::U32 | kinds::I32 | kinds::F32 => Some(4),
        kinds::U64 | kinds::I64 | kinds::F64 => Some(8),
        _ => None,
    }
}

impl Header {
    /// Maps a file and reads everything but the weights.
    ///
    /// # Errors
    /// [`ErrorKind::Weights`] where it is damaged, [`ErrorKind::Unsupported`] for other versions of
    /// the format.
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let file = Arc::new(WeightFile::map(path)?);
        let mut cursor = Cursor {
            bytes: &file.bytes,
            at: 0,
        };
        let parsed = parse(&mut cursor);
        let at = cursor.at;
        let (items, tensors, alignment) = parsed.map_err(|error| error.in_file(&file, at))?;
        let start = at
            .checked_next_multiple_of(alignment)
            .ok_or_else(|| ReadError::End.in_file(&file, at))?;
        let metadata = Metadata {
            file: Arc::clone(&file),
            items,
        };
        Ok(Self {
            metadata,
            tensors,
            start,
            alignment,
            file,
        })
    }
}

impl ReadError {
    /// What stopped the reading of a file at a byte.
    fn in_file(self, file: &WeightFile, at: usize) -> Error {
        let (kind, message) = match self {
            Self::End => {
                let length = file.bytes.len();
                let message =
                    format!("damaged or cut off: ends inside what begins at byte {at} of {length}");
                (ErrorKind::Weights, message)
            }
            Self::Other(kind, message) => (kind, message),
        };
        Error::new(kind, message).in_file(&file.name)
    }
}

impl Container {
    /// Maps a file, reads everything but the weights, and checks that these can be read.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let header = Header::read(path)?;
        let tensors =
            entries(&header).map_err(|error| error.in_file(&header.file, header.start))?;
        Ok(Self {
            metadata: header.metadata,
            tensors,
            file: header.file,
        })
    }

    pub(super) fn file_name(&self) -> &str {
        &self.file.name
    }
}

type ParsedHeader = (BTreeMap<String, MetadataValue>, Vec<TensorInfo>, usize);

fn parse(cursor: &mut Cursor<'_>) -> ReadResult<ParsedHeader> {
    if &cursor.array::<4>()? != MAGIC {
        return damaged("is no GGUF file");
    }
    match cursor.u32()? {
        2 | 3 => {}
        version if version.swap_bytes() <= 3 => {
            return Err(ReadError::Other(
                ErrorKind::Unsupported,
                "is a big-endian GGUF file".to_string(),
            ));
        }
        version => {
            let message = format!(
                "is GGUF version {version}; supported are 2 and 3: convert it with a current llama.cpp"
            );
            return Err(ReadError::Other(ErrorKind::Unsupported, message));
        }
    }
    let (tensor_count, item_count) = (cursor.u64()?, cursor.u64()?);
    let mut items = BTreeMap::new();
    for _ in 0..item_count {
        let key = cursor.text()?;
        let kind = cursor.u32()?;
        let item = cursor.item(kind, 0)?;
        if items.insert(key.to_string(), item).is_some() {
            return damaged(format!("has the key `{key}` twice"));
        }
    }
    let alignment = match items.get("general.alignment") {
        None => ALIGNMENT,
        // At least 8, as the format demands, so that blocks can be read where they lie.
        Some(MetadataValue::Number(number)) if number.is_power_of_two() && *number >= 8 => *number,
        Some(_) => return damaged("`general.alignment` is not a power of two from 8 on"),
    };
    let alignment = usize::try_from(alignment).map_err(|_| ReadError::End)?;
    Ok((items, tensor_infos(cursor, tensor_count)?, alignment))
}

fn tensor_infos(cursor: &mut Cursor<'_>, count: u64) -> ReadResult<Vec<TensorInfo>> {
    let (mut tensor_infos, mut names) = (Vec::new(), BTreeSet::new());
    for _ in 0..count {
        let name = cursor.text()?.to_string();
        let dimensions = cursor.u32()?;
        if !(1..=MAX_DIMENSIONS).contains(&dimensions) {
            return damaged(format!("tensor `{name}`: has {dimensions} dimensions"));
        }
        let mut shape = Vec::new();
        for _ in 0..dimensions {
            // Where an address has 32 bits `size` refuses what became too large, by the tensor's
            // name.
            shape.push(usize::try_from(cursor.u64()?).unwrap_or(usize::MAX));
        }
        // The file names the columns first.
        shape.reverse();
        let storage = Storage::of_ggml(cursor.u32()?);
        if !names.insert(name.clone()) {
            return damaged(format!("tensor `{name}` is there twice"));
        }
        tensor_infos.push(TensorInfo {
            name,
            shape,
            storage,
            offset: cursor.u64()?,
        });
    }
    Ok(tensor_infos)
}

/// The tensors, each of a type and a shape that can be read, one behind the other as llama.cpp
/// demands.
fn entries(header: &Header) -> ReadResult<Vec<GgufTensor>> {
    let (mut entries, mut next) = (Vec::new(), 0usize);
    for info in &header.tensors {
        let (storage, size) = size(info)?;
        if info.offset != next as u64 {
            let TensorInfo { name, offset, .. } = info;
            return damaged(format!(
                "tensor `{name}`: lies at {offset} of the weights, where {next} was expected"
            ));
        }
        let begin = header.start.checked_add(next).ok_or(ReadError::End)?;
        let end = begin.checked_add(size).ok_or(ReadError::End)?;
        let length = header.file.bytes.len();
        if end > length {
            let name = &info.name;
            return damaged(format!(
                "tensor `{name}`: the file is cut off: it would end at byte {end} of {length}"
            ));
        }
        let padded = next
            .checked_add(size)
            .and_then(|end| end.checked_next_multiple_of(header.alignment));
        next = padded.ok_or(ReadError::End)?;
        entries.push(GgufTensor {
            name: info.name.clone(),
            shape: info.shape.clone(),
            storage,
            range: begin..end,
        });
    }
    Ok(entries)
}

/// How a tensor is stored, and its bytes.
fn size(info: &TensorInfo) -> ReadResult<(Storage, usize)> {
    let TensorInfo { name, shape, .. } = info;
    let storage = match &info.storage {
        Ok(storage) => *storage,
        Err(kind) => {
            let message = format!(
                "tensor `{name}` is stored as {kind}, which is not supported; supported are F32, F16, BF16, Q4_0, \
                 Q4_1, Q5_0, Q5_1, Q8_0 and Q2_K to Q6_K"
            );
            return Err(ReadError::Other(ErrorKind::Unsupported, message));
        }
    };
    if !shape
        .last()
        .is_some_and(|columns| columns.is_multiple_of(storage.block_values()))
    {
        let kind = storage.name();
        return damaged(format!(
            "tensor `{name}`: rows of shape {shape:?} are not whole blocks of {kind}"
        ));
    }
    let values = shape
        .iter()
        .try_fold(1usize, |product, dimension| product.checked_mul(*dimension));
    match values
        .filter(|values| *values > 0)
        .and_then(|values| storage.bytes(values))
    {
        Some(size) => Ok((storage, size)),
        None => damaged(format!(
            "tensor `{name}`: has the impossible shape {shape:?}"
        )),
    }
}

impl Metadata {
    /// An error about a key.
    pub(super) fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        Error::new(kind, message).in_file(&self.file.name)
    }

    fn other_kind(&self, key: &str, wanted: &str, item: &MetadataValue) -> Error {
        let message = format!("`{key}` is of another kind");
        self.error(ErrorKind::Config, message)
            .expected(wanted, item.kind_name())
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.items.keys().map(String::as_str)
    }

    /// A whole number from 0.
    pub(super) fn number(&self, key: &str) -> Result<Option<u64>, Error> {
        match self.items.get(key) {
            None => Ok(None),
            Some(MetadataValue::Number(number)) => Ok(Some(*number)),
            Some(item) => Err(self.other_kind(key, "a number", item)),
        }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.items.contains_key(key)
    }

    /// A whole number from 0, or a negative one, which is none.
    pub(super) fn id(&self, key: &str) -> Result<Option<u64>, Error> {
        match self.items.get(key) {
            Some(MetadataValue::Negative(_)) => Ok(None),
            _ => self.number(key),
        }
    }

    /// One number, or as many equal ones; 0 where the list is empty.
    pub(super) fn number_of_all_layers(&self, key: &str) -> Result<Option<u64>, Error> {
        let Some(item @ MetadataValue::List { kind, count, range }) = self.items.get(key) else {
            return self.number(key);
        };
        let mut cursor = Cursor {
            bytes: &self.file.bytes[range.clone()],
            at: 0,
        };
        let mut found = None;
        for _ in 0..*count {
            match (cursor.item(*kind, 0), found) {
                (Ok(MetadataValue::Number(number)), None) => found = Some(number),
                (Ok(MetadataValue::Number(number)), Some(first)) if number == first => {}
                (Ok(MetadataValue::Number(_)), Some(_)) => {
                    let message =
                        format!("`{key}` differs from layer to layer, which is not supported");
                    return Err(self.error(ErrorKind::Unsupported, message));
                }
                _ => return Err(self.other_kind(key, "numbers", item)),
            }
        }
        Ok(Some(found.unwrap_or(0)))
    }

    pub(super) fn float(&self, key: &str) -> Result<Option<f64>, Error> {
        match self.items.get(key) {
            None => Ok(None),
            Some(MetadataValue::Float(number)) => Ok(Some(*number)),
            Some(MetadataValue::Number(number)) => Ok(Some(*number as f64)),
            Some(MetadataValue::Negative(number)) => Ok(Some(*number as f64)),
            Some(item) => Err(self.other_kind(key, "a number", item)),
        }
    }

    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>, Error> {
        match self.items.get(key) {
            None => Ok(None),
            Some(MetadataValue::Flag(flag)) => Ok(Some(*flag)),
            Some(item) => Err(self.other_kind(key, "true or false", item)),
        }
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<&str>, Error> {
        match self.items.get(key) {
            None => Ok(None),
            Some(MetadataValue::Text(range)) => Ok(Some(self.text_at(range.clone()))),
            Some(item) => Err(self.other_kind(key, "a text", item)),
        }
    }

    fn text_at(&self, range: Range<usize>) -> &str {
        // Every text was read once as UTF-8.
        std::str::from_utf8(&self.file.bytes[range]).unwrap_or_default()
    }

    /// Whether a value is there that is not 0 or false: a list or a text always counts.
    pub(super) fn is_set(&self, key: &str, neutral: f64) -> bool {
        match self.items.get(key) {
            None => false,
            Some(MetadataValue::Number(number)) => *number as f64 != neutral,
            Some(MetadataValue::Negative(number)) => *number as f64 != neutral,
            Some(MetadataValue::Float(number)) => *number != neutral,
            Some(MetadataValue::Flag(flag)) => f64::from(u8::from(*flag)) != neutral,
            Some(MetadataValue::Text(_) | MetadataValue::List { .. }) => true,
        }
    }

    /// The texts of a list.
    pub(super) fn texts(&self, key: &str) -> Result<Option<impl Iterator<Item = &str>>, Error> {
        self.list(key, "a list of texts", kinds::TEXT)?
            .map_or(Ok(None), |range| {
                let mut cursor = Cursor {
                    bytes: &self.file.bytes[range],
                    at: 0,
                };
                Ok(Some(std::iter::from_fn(move || cursor.text().ok())))
            })
    }

    /// The numbers of a list of f32.
    pub(super) fn floats(&self, key: &str) -> Result<Option<impl Iterator<Item = f32>>, Error> {
        let range = self.list(key, "a list of floats", kinds::F32)?;
        let bytes = range.map(|range| self.file.bytes[range].as_chunks::<4>().0);
        Ok(bytes.map(|bytes| bytes.iter().map(|bytes| f32::from_le_bytes(*bytes))))
    }

    /// The numbers of a list of i32.
    pub(super) fn integers(&self, key: &str) -> Result<Option<impl Iterator<Item = i32>>, Error> {
        let range = self.list(key, "a list of 32-bit integers", kinds::I32)?;
        let bytes = range.map(|range| self.file.bytes[range].as_chunks::<4>().0);
        Ok(bytes.map(|bytes| bytes.iter().map(|bytes| i32::from_le_bytes(*bytes))))
    }

    /// The truth values of a list; `None` for what is no list.
    pub(super) fn flags(&self, key: &str) -> Result<Option<Vec<bool>>, Error> {
        if !matches!(self.items.get(key), Some(MetadataValue::List { .. })) {
            return Ok(None);
        }
        let range = self.list(key, "a list of truth values", kinds::BOOL)?;
        let bytes = range.map(|range| &self.file.bytes[range]);
        Ok(bytes.map(|bytes| bytes.iter().map(|byte| *byte != 0).collect()))
    }

    fn list(&self, key: &str, wanted: &str, of: u32) -> Result<Option<Range<usize>>, Error> {
        match self.items.get(key) {
            None => Ok(None),
            Some(MetadataValue::List { kind, range, .. }) if *kind == of => Ok(Some(range.clone())),
            // Some writers store token types as unsigned numbers.
            Some(MetadataValue::List {
                kind: kinds::U32,
                range,
                ..
            }) if of == kinds::I32 => Ok(Some(range.clone())),
            // A list without elements says nothing, whatever their kind.
            Some(MetadataValue::List { count: 0, .. }) => Ok(None),
            Some(item) => Err(self.other_kind(key, wanted, item)),
        }
    }
}
