//! A GitHub and a Google Cloud to run against, on loopback.
