//! GraphML (graphml.graphdrawing.org), for Gephi, Cytoscape and networkx: a node a concept with
//! `kind`, `name` and `seeds`, an undirected edge with `weight` (the number of seeds w) and `f` =
//! ln(w + ε).

use std::fmt;
use std::io::{self, Write};

use quick_xml::escape::escape;

use super::{Concept, Graph, Kind, edge_weight};

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
                // Escapes suffice: canonical names hold none of the control characters that XML
                // cannot carry at all.
                let (id, kind, name) = (NodeId(kind, id as u32), kind.name(), escape(name));
                writeln!(
                    out,
                    "<node id=\"{id}\"><data key=\"kind\">{kind}</data><data key=\"name\">{name}</data><data key=\"seeds\">{seeds}</data></node>"
                )?;
            }
        }
        for (from, to) in Kind::PAIRS {
            for (u, v, weight) in self.edges_once(from, to) {
                let (source, target, f) = (NodeId(from, u), NodeId(to, v), edge_weight(weight));
                writeln!(
                    out,
                    "<edge source=\"{source}\" target=\"{target}\"><data key=\"weight\">{weight}</data><data key=\"f\">{f}</data></edge>"
                )?;
            }
        }
        out.write_all(b"</graph>\n</graphml>\n")
    }
}

/// `t12` or `k3`.
struct NodeId(Kind, u32);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = match self.0 {
            Kind::Topic => 't',
            Kind::KnowledgePoint => 'k',
        };
        write!(f, "{letter}{}", self.1)
    }
}
