//! The one integration test binary.
mod apply;
mod bot;
mod review;
mod rules;
mod store;
mod tree;
mod web;
