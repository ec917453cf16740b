//! Kinds read from GitHub, one file each. What they share: the bulk queries in `queries`.
