//! The one integration test binary.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::format_push_string,
    clippy::case_sensitive_file_extension_comparisons,
    reason = "a failed test says where; skips are printed; names of fixtures are ours"
)]
mod apply;
mod bases;
mod bot;
mod cache;
mod called;
mod chains;
mod cli;
mod corpus;
mod crossings;
mod damage;
mod demo;
mod diff;
mod edges;
mod end_to_end;
mod entries;
mod graph;
mod hand_over;
mod headers;
mod ingest;
mod mail;
mod makers;
mod meant;
mod pasted;
mod pointers;
mod program;
mod queue;
mod random_c;
mod review;
mod review_command;
mod rules;
mod series;
mod servers;
mod shapes;
mod sieve;
mod sites;
mod smtp;
mod store;
mod tables;
mod tidy;
mod tree;
mod twins;
mod unbound;
mod versions;
mod web;
mod why;
