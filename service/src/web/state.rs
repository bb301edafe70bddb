//! What every handler gets.

use std::sync::Arc;

use crate::model::Timestamp;
use crate::store::Store;

use super::metrics::HttpCounters;

/// The store and the clock. Cloning is cheap.
#[derive(Clone)]
pub struct App {
    /// Where everything is read from.
    pub(crate) store: Store,
    /// Ages are shown against it.
    pub(crate) clock: fn() -> Timestamp,
    /// Requests answered so far.
    pub(crate) http: Arc<HttpCounters>,
}

impl App {
    /// Serves `store`; `clock` gives the present moment.
    pub fn new(store: Store, clock: fn() -> Timestamp) -> Self {
        Self {
            store,
            clock,
            http: Arc::default(),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }
}
