//! The harness.

pub mod app;
