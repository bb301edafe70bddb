//! The one integration test binary.
mod bot;
mod store;
