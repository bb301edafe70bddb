//! The record of one series, as exports and scores read it.
