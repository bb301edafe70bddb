//! The one integration test binary.
mod apply;
mod bot;
mod cli;
mod corpus;
mod diff;
mod end_to_end;
mod ingest;
mod mail;
mod queue;
mod review;
mod review_command;
mod rules;
mod series;
mod store;
mod tidy;
mod tree;
mod web;
