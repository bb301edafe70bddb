//! The `lorelintd` program.
fn main() {}
