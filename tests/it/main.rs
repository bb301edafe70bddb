//! The one integration test binary.
mod apply;
mod bot;
mod corpus;
mod mail;
mod review;
mod rules;
mod series;
mod store;
mod tree;
mod web;
