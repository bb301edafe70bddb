//! What a cached tree and a cached report hold, in sections.

use std::sync::Arc;

use super::{Cache, Parts};
use crate::graph::crossings::Crossings;
use crate::graph::image::Image;
use crate::graph::known::KnownEdges;
use crate::graph::sieve::Closures;
use crate::report::CheckReport;
use crate::warm::{Known, Warm};

/// A tree as it was read, with what the sieve let through and what its items say.
pub(crate) struct TreeFile {
    pub(crate) image: Arc<Image>,
    pub(crate) closures: Option<Arc<Closures>>,
    pub(crate) edges: Arc<KnownEdges>,
    /// Where chains come from one implementation into another.
    pub(crate) crossings: Arc<Crossings>,
    /// See [`Image::name`]; the report of the tree goes by it.
    pub(crate) name: String,
}

/// Sections before those of the image.
const META: usize = 0;
const CLOSURES: usize = 1;
const FACTS: usize = 2;
const VALUES: usize = 3;
const EDGES: usize = 4;
const EDGE_LISTS: usize = 5;
const IMAGE: usize = 6;

impl Cache {
    /// Reads the tree of a plan; what is known of its items goes to `warm`.
    pub(crate) fn tree(&self, plan: u64, warm: &Warm) -> Option<TreeFile> {
        let frame = self.load(&self.tree_name(plan))?;
        let (name, crossings) = postcard::from_bytes(frame.section(META)?.bytes()).ok()?;
        let closures = frame.section(CLOSURES)?.bytes();
        let closures: Option<Closures> = postcard::from_bytes(closures).ok()?;
        let image = Image::read(frame.sections_from(IMAGE))?;
        let edges = KnownEdges::read(frame.section(EDGES)?.bytes(), frame.section(EDGE_LISTS)?)?;
        let (rows, values) = (frame.section(FACTS)?, frame.section(VALUES)?);
        warm.know(Known::read(rows, values)?);
        Some(TreeFile {
            image: Arc::new(image),
            closures: closures.map(Arc::new),
            edges: Arc::new(edges),
            crossings: Arc::new(crossings),
            name,
        })
    }

    /// Keeps the tree of a plan, with what `warm` knows of its items.
    pub(crate) fn keep_tree(&self, plan: u64, tree: &TreeFile, warm: &Warm) {
        if let Some(parts) = tree.parts(warm) {
            self.keep(&self.tree_name(plan), &Parts(parts));
        }
    }

    /// The name of the files of a git tree: see [`Image::name`].
    pub(crate) fn name(&self, tree_id: &str) -> Option<String> {
        let frame = self.load(&format!("name-{tree_id}"))?;
        postcard::from_bytes(frame.section(0)?.bytes()).ok()
    }

    /// Keeps the name of the files of a git tree.
    pub(crate) fn keep_name(&self, tree_id: &str, name: &str) {
        if let Ok(bytes) = postcard::to_stdvec(name) {
            self.keep(&format!("name-{tree_id}"), &Parts(vec![bytes]));
        }
    }

    /// Reads a report.
    pub(crate) fn report(&self, name: &str) -> Option<CheckReport> {
        let frame = self.load(name)?;
        postcard::from_bytes(frame.section(0)?.bytes()).ok()
    }

    /// Keeps a report.
    pub(crate) fn keep_report(&self, name: &str, report: &CheckReport) {
        if let Ok(bytes) = postcard::to_stdvec(report) {
            self.keep(name, &Parts(vec![bytes]));
        }
    }
}

impl TreeFile {
    fn parts(&self, warm: &Warm) -> Option<Vec<Vec<u8>>> {
        let mut parts = vec![
            postcard::to_stdvec(&(&self.name, &*self.crossings)).ok()?,
            postcard::to_stdvec(&self.closures.as_deref()).ok()?,
        ];
        parts.extend(warm.write()?);
        parts.extend(self.edges.write()?);
        parts.extend(self.image.write()?);
        Some(parts)
    }
}
