//! The one integration test binary.
mod apply;
mod bot;
mod corpus;
mod ingest;
mod mail;
mod queue;
mod review;
mod rules;
mod series;
mod store;
mod tree;
mod web;
