//! One fact each.
