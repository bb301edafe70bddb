//! Follows kernel mailing lists, lints their patch series, shows and mails the findings.
//!
//! Who may import whom: `main → roles → { web, jobs, queue, ingest, outbox, trees, store } → { bot, report } → model`.
//! Only `store` names sqlx. `store` knows `model` and nothing else of the service; `web` reads from the
//! store and enqueues jobs; `jobs` uses everything but `web`.

pub mod bot;
pub mod config;
pub mod demo;
pub mod ingest;
pub mod jobs;
pub mod model;
pub mod outbox;
pub mod queue;
pub mod report;
pub mod roles;
pub mod store;
pub mod trees;
pub mod web;
