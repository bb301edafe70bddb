//! The harness.

pub mod app;
pub mod command;
pub mod daemon;
pub mod delta_case;
pub mod git;
pub mod graph_case;
pub mod lint_case;
pub mod listmail;
pub mod mailbox;
pub mod material;
pub mod program;
pub mod random;
pub mod shapes;
pub mod states;
