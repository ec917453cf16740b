//! Who vouches from outside, against programs that nobody here wrote: a time stamp authority of OpenSSL's, a witness and a verifier from PyPI; and a Cloud KMS held to its contract.
#![cfg(test)]

mod authority;
pub(crate) mod kms;
pub(crate) mod log;
mod mutation;
mod stamps;
pub(crate) mod tsa;
pub(crate) mod witness;
