//! GraphML (graphml.graphdrawing.org), for other programs: a node a concept with `kind`, `name` and
//! `seeds`, an undirected edge with `weight` (the number of seeds w) and `f` = ln(w + ε). Read back
//! without loss, also as other programs write it anew.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Write};
use std::path::Path;

use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::{BytesStart, Event};

use super::parts::{End, Parts};
use super::{Concept, Graph, Kind, edge_weight};
use crate::error::{Error, ErrorKind};

/// Keys as they are declared: id, what they are for, name, type.
const KEYS: [[&str; 4]; 6] = [
    ["graph_seeds", "graph", "seeds", "long"],
    ["kind", "node", "kind", "string"],
    ["name", "node", "name", "string"],
    ["seeds", "node", "seeds", "long"],
    ["weight", "edge", "weight", "long"],
    ["f", "edge", "f", "double"],
];

impl Graph {
    /// Writes it as GraphML.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_graphml(&self, mut out: impl Write) -> io::Result<()> {
        out.write_all(
            b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n",
        )?;
        for [id, of, name, kind] in KEYS {
            writeln!(
                out,
                "<key id=\"{id}\" for=\"{of}\" attr.name=\"{name}\" attr.type=\"{kind}\"/>"
            )?;
        }
        writeln!(
            out,
            "<graph edgedefault=\"undirected\">\n<data key=\"graph_seeds\">{}</data>",
            self.seeds
        )?;
        for kind in Kind::ALL {
            for (id, Concept { name, seeds }) in self.concepts(kind).iter().enumerate() {
                write!(
                    out,
                    "<node id=\"{}\"><data key=\"kind\">{}</data>",
                    NodeId(kind, id as u32),
                    kind.name()
                )?;
                writeln!(
                    out,
                    "<data key=\"name\">{}</data><data key=\"seeds\">{seeds}</data></node>",
                    escape(name.as_str())
                )?;
            }
        }
        for (from, to) in [
            (Kind::Topic, Kind::Topic),
            (Kind::Topic, Kind::KnowledgePoint),
            (Kind::KnowledgePoint, Kind::KnowledgePoint),
        ] {
            for (u, v, weight) in self
                .links(from, to)
                .edges()
                .filter(|&(u, v, _)| from != to || u < v)
            {
                let (source, target, f) = (NodeId(from, u), NodeId(to, v), edge_weight(weight));
                write!(
                    out,
                    "<edge source=\"{source}\" target=\"{target}\"><data key=\"weight\">{weight}</data>"
                )?;
                writeln!(out, "<data key=\"f\">{f}</data></edge>")?;
            }
        }
        out.write_all(b"</graph>\n</graphml>\n")
    }

    /// Reads it from GraphML with the attributes that [`Graph::write_graphml`] writes, in any
    /// order; others are passed over.
    ///
    /// # Errors
    /// A file that cannot be read, that is not XML, or that holds no concept graph.
    pub fn read_graphml(file: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(file)
            .map_err(|source| Error::in_file(file, ErrorKind::Unreadable(source)))?;
        let mut document = Document::default();
        let mut reader = Reader::from_str(&text);
        let parsed = document.read(&mut reader).and_then(|()| document.graph());
        parsed.map_err(|message| {
            let end = usize::try_from(reader.buffer_position())
                .unwrap_or(usize::MAX)
                .min(text.len());
            let line = 1 + text.as_bytes()[..end]
                .iter()
                .filter(|&&byte| byte == b'\n')
                .count();
            match document.ended {
                true => Error::in_file(file, ErrorKind::Corrupt(message)),
                false => Error::at(
                    file,
                    record_files::Place::Line(line),
                    ErrorKind::Corrupt(message),
                ),
            }
        })
    }
}

/// `t12` or `k3`.
struct NodeId(Kind, u32);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}{}",
            if self.0 == Kind::Topic { 't' } else { 'k' },
            self.1
        )
    }
}

/// What was read so far.
#[derive(Default)]
struct Document {
    /// Names of the keys by their ids.
    keys: HashMap<String, String>,
    parts: Parts,
    nodes: HashMap<String, End>,
    edges: Vec<(String, String, u32)>,
    /// The element that is open, and its data by name.
    element: Element,
    data: HashMap<String, String>,
    /// The key of the open `data`, and its text.
    open_data: Option<(String, String)>,
    has_graph: bool,
    ended: bool,
}

#[derive(Default)]
enum Element {
    #[default]
    None,
    Node(String),
    Edge(String, String),
}

impl Document {
    fn read(&mut self, reader: &mut Reader<&[u8]>) -> Result<(), String> {
        loop {
            match reader
                .read_event()
                .map_err(|error| format!("not XML: {error}"))?
            {
                Event::Start(start) => self.open(&start)?,
                Event::Empty(start) => {
                    self.open(&start)?;
                    self.close(start.local_name().as_ref())?;
                }
                Event::End(end) => self.close(end.local_name().as_ref())?,
                Event::Text(text) => {
                    self.add(&text.xml10_content().map_err(|error| error.to_string())?)
                }
                Event::CData(text) => {
                    self.add(&text.xml10_content().map_err(|error| error.to_string())?)
                }
                Event::GeneralRef(reference) => {
                    let name = reference
                        .xml10_content()
                        .map_err(|error| error.to_string())?;
                    let character = quick_xml::escape::unescape(&format!("&{name};"))
                        .map(|text| text.into_owned());
                    self.add(&character.map_err(|error| format!("not XML: {error}"))?);
                }
                Event::Eof => {
                    self.ended = true;
                    return Ok(());
                }
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            }
        }
    }

    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), String> {
        match start.local_name().as_ref() {
            b"key" => {
                let name = attribute(start, "attr.name")?;
                self.keys.insert(attribute(start, "id")?, name);
            }
            b"graph" => {
                if std::mem::replace(&mut self.has_graph, true) {
                    return Err("a second graph: expected one".to_string());
                }
                if attribute(start, "edgedefault")? != "undirected" {
                    return Err(
                        "a directed graph: two concepts of one seed are joined in both directions"
                            .to_string(),
                    );
                }
            }
            b"node" => self.element = Element::Node(attribute(start, "id")?),
            b"edge" => {
                self.element =
                    Element::Edge(attribute(start, "source")?, attribute(start, "target")?)
            }
            b"data" => {
                let key = attribute(start, "key")?;
                let name = self
                    .keys
                    .get(&key)
                    .ok_or_else(|| format!("the key \"{key}\" is not declared"))?;
                self.open_data = Some((name.clone(), String::new()));
            }
            _ => {}
        }
        Ok(())
    }

    fn add(&mut self, text: &str) {
        if let Some((_, open)) = &mut self.open_data {
            open.push_str(text);
        }
    }

    fn close(&mut self, name: &[u8]) -> Result<(), String> {
        match name {
            b"data" => {
                let Some((name, text)) = self.open_data.take() else {
                    return Ok(());
                };
                match self.element {
                    Element::None if name == "seeds" => self.parts.seeds = number(&name, &text)?,
                    Element::None => {}
                    _ => {
                        self.data.insert(name, text);
                    }
                }
            }
            b"node" => self.node()?,
            b"edge" => self.edge()?,
            _ => {}
        }
        Ok(())
    }

    fn node(&mut self) -> Result<(), String> {
        let Element::Node(id) = std::mem::take(&mut self.element) else {
            return Ok(());
        };
        let data = std::mem::take(&mut self.data);
        let field = |name: &str| {
            data.get(name)
                .ok_or_else(|| format!("the node \"{id}\" has no \"{name}\""))
        };
        let kind = field("kind")?;
        let Some(kind) = Kind::ALL
            .into_iter()
            .find(|known| known.name() == kind.trim())
        else {
            return Err(format!(
                "the node \"{id}\" is of the kind \"{kind}\" (known: topic, knowledge_point)"
            ));
        };
        let concept = Concept {
            name: field("name")?.clone(),
            seeds: number("seeds", field("seeds")?)?,
        };
        let place = self.parts.concepts(kind).len();
        self.parts.concepts(kind).push(concept);
        match self.nodes.insert(id.clone(), (kind, place)) {
            Some(_) => Err(format!("two nodes have the id \"{id}\"")),
            None => Ok(()),
        }
    }

    fn edge(&mut self) -> Result<(), String> {
        let Element::Edge(source, target) = std::mem::take(&mut self.element) else {
            return Ok(());
        };
        let data = std::mem::take(&mut self.data);
        let ends = || format!("the edge between \"{source}\" and \"{target}\"");
        let weight = data
            .get("weight")
            .ok_or_else(|| format!("{} has no \"weight\"", ends()))?;
        let weight: u32 = number("weight", weight)?;
        if let Some(f) = data.get("f") {
            const ROUNDING: f64 = 1e-9;
            let expected = edge_weight(weight);
            let found: f64 = f
                .trim()
                .parse()
                .map_err(|_| format!("{} has an \"f\" that is no number: {f:?}", ends()))?;
            if found.is_nan() || (found - expected).abs() > ROUNDING {
                return Err(format!(
                    "{} has f = {found}, and ln({weight} + 1e-5) is {expected}: change both, or leave f out",
                    ends()
                ));
            }
        }
        self.edges.push((source, target, weight));
        Ok(())
    }

    fn graph(&mut self) -> Result<Graph, String> {
        if !self.has_graph {
            return Err("no GraphML: there is no <graph>".to_string());
        }
        let mut parts = std::mem::take(&mut self.parts);
        for (source, target, weight) in &self.edges {
            let end = |id: &String| {
                self.nodes
                    .get(id)
                    .copied()
                    .ok_or_else(|| format!("there is no node \"{id}\""))
            };
            parts.edges.push((end(source)?, end(target)?, *weight));
        }
        parts.assemble()
    }
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Result<String, String> {
    let element = || String::from_utf8_lossy(start.local_name().into_inner()).into_owned();
    let found = start
        .try_get_attribute(name)
        .map_err(|error| format!("not XML: {error}"))?;
    let found = found.ok_or_else(|| format!("<{}> has no attribute \"{name}\"", element()))?;
    let value = found
        .normalized_value(quick_xml::XmlVersion::Implicit1_0)
        .map_err(|error| format!("not XML: {error}"))?;
    Ok(value.into_owned())
}

/// A count; programs that know doubles only write `2.0`.
fn number<T: std::str::FromStr>(name: &str, text: &str) -> Result<T, String> {
    let text = text.trim();
    text.strip_suffix(".0")
        .unwrap_or(text)
        .parse()
        .map_err(|_| format!("\"{name}\" is not a count: {text:?}"))
}
