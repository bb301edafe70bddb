//! The one integration test binary.
mod apply;
mod bot;
mod corpus;
mod diff;
mod ingest;
mod mail;
mod queue;
mod review;
mod review_command;
mod rules;
mod series;
mod store;
mod tree;
mod web;
