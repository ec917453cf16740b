//! `gs://bucket/prefix`: which bucket, and what every object name in it starts with.

use std::fmt;
use std::str::FromStr;

use crate::store::{StoreError, key};

/// Where a store lies in Cloud Storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    bucket: String,
    /// Empty, or with a slash at its end.
    prefix: String,
}

impl Address {
    /// The bucket's name.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// What every object's name starts with: nothing, or a path with a slash at its end.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The bucket's name as the client library wants it.
    pub(super) fn resource(&self) -> String {
        format!("projects/_/buckets/{}", self.bucket)
    }

    /// The object's name in the bucket.
    pub(super) fn name(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// The key of an object's name; none for an object that is not one of ours.
    pub(super) fn key<'a>(&self, name: &'a str) -> Option<&'a str> {
        name.strip_prefix(&self.prefix).filter(|key| key::check(key).is_ok())
    }
}

impl FromStr for Address {
    type Err = StoreError;

    /// <https://cloud.google.com/storage/docs/buckets#naming>
    fn from_str(url: &str) -> Result<Self, StoreError> {
        let wrong = |why: &str| StoreError::Setup(format!("store = {url:?}: {why}; write gs://BUCKET or gs://BUCKET/FOLDER"));
        let rest = url.strip_prefix("gs://").ok_or_else(|| wrong("it is not an address in Cloud Storage"))?;
        let (bucket, folder) = rest.split_once('/').unwrap_or((rest, ""));
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let named = (3..=222).contains(&bucket.len())
            && bucket.chars().all(|c| plain(c) || matches!(c, '-' | '_' | '.'))
            && bucket.starts_with(plain)
            && bucket.ends_with(plain)
            && bucket.split('.').all(|part| (1..=63).contains(&part.len()));
        if !named {
            return Err(wrong("that is not the name of a bucket"));
        }
        let folder = folder.trim_end_matches('/');
        if folder.is_empty() {
            return Ok(Self { bucket: bucket.to_owned(), prefix: String::new() });
        }
        if folder.len() > 256 || key::check(folder).is_err() {
            return Err(wrong("the folder may hold A-Z, a-z, 0-9, `.`, `_`, `-` and single slashes, 256 characters at most"));
        }
        Ok(Self { bucket: bucket.to_owned(), prefix: format!("{folder}/") })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "gs://{}/{}", self.bucket, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn an_address_names_a_bucket_and_nothing_outside_of_it() {
        for (url, shown, name) in [
            ("gs://acme-evidence", "gs://acme-evidence/", "a/b"),
            ("gs://acme-evidence/", "gs://acme-evidence/", "a/b"),
            ("gs://evidence.acme.com/prod/eu/", "gs://evidence.acme.com/prod/eu/", "prod/eu/a/b"),
        ] {
            let address: Address = url.parse().expect("an address");
            assert_eq!(address.to_string(), shown);
            assert_eq!(address.name("a/b"), name);
            assert_eq!(address.key(name), Some("a/b"));
            assert_eq!(address.key(&format!("{name}/")), None, "a console's folder is no object of ours");
        }
        let inside: Address = "gs://acme-evidence/prod".parse().expect("an address");
        assert_eq!(inside.key("production/x"), None);
        for bad in [
            "gs://",
            "gs://ab",
            "gs://Acme",
            "gs://-acme",
            "gs://acme..com",
            "gs://acme/../x",
            "gs://acme//x",
            "gs://acme/.x",
            "gs://ac me",
            "s3://acme",
            "gs://acme?x=1",
        ] {
            assert!(bad.parse::<Address>().is_err(), "{bad}");
        }
    }
}
