//! The `lorelint` program.
fn main() {}
