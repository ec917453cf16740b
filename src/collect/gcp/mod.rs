//! Kinds read from Google Cloud, one file each.
