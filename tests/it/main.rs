//! The one integration test binary.
mod apply;
mod bot;
mod review;
mod store;
mod tree;
mod web;
