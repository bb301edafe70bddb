//! Follows kernel mailing lists.
