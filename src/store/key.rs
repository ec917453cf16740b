//! What may name an object: nothing that could lead out of the store or mean something to a file system.

use crate::store::StoreError;

/// Checks that `key` is one or more segments of `[A-Za-z0-9._-]` joined by `/`, none of them empty or starting with a dot, 512 bytes at most.
///
/// # Errors
/// `StoreError::InvalidKey`.
pub fn check(key: &str) -> Result<(), StoreError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let segment = |s: &str| !s.is_empty() && !s.starts_with('.') && s.chars().all(plain);
    if key.len() <= 512 && key.split('/').all(segment) { Ok(()) } else { Err(StoreError::InvalidKey { key: key.chars().take(200).collect() }) }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn keys_stay_inside() {
        for good in ["a", "runs/20260301T020000Z-9f2c11aa/manifest.json", "bodies/2026-11/ab.zst"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in ["", "/a", "a/", "a//b", "../a", "a/../b", ".hidden", "a/.tmp", "a\\b", "a b", "a\0", "ä", &"a".repeat(513)] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
    }
}
