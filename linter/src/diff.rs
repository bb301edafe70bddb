//! Unified diffs: parsing, and applying them to a tree in memory.
