//! The one integration test binary.
mod apply;
mod bot;
mod store;
