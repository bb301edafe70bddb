//! What every output says about a series: pages, the JSON API and mail read it from here.

pub mod chain;
pub mod diff;
pub mod locate;
pub mod rules;

pub use chain::{ChainRow, chain_rows};
pub use diff::{DiffFile, DiffHunk, DiffLine, LineKind, parse_diff};
pub use locate::{Spot, Spots, locate_fixed, locate_new};
