//! Raw list mail to message, patch and series.
