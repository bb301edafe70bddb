//! The harness.

pub mod app;
pub mod git;
