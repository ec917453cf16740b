//! Makes proofs from stored tiles. Nothing here has to be believed: a proof from wrong tiles does not verify.

use crate::ledger::merkle::{self, Span};
use crate::ledger::note::Note;
use crate::ledger::proof::Proof;
use crate::ledger::tile::TileSet;
use crate::ledger::{Hash, LedgerError};
use crate::store::Store;

/// That entry `index` is under the checkpoint `note` of `size` entries.
///
/// # Errors
/// `LedgerError::Lost` where a tile is missing, or what the store says.
pub async fn inclusion(store: &dyn Store, index: u64, size: u64, note: Note) -> Result<Proof, LedgerError> {
    let hashes = read(store, &merkle::inclusion_spans(index, size)?, size).await?;
    Ok(Proof { index, hashes, note })
}

/// That the log of `old` entries is how the one of `new` entries begins.
///
/// # Errors
/// As `inclusion`.
pub async fn consistency(store: &dyn Store, old: u64, new: u64) -> Result<Vec<Hash>, LedgerError> {
    read(store, &merkle::consistency_spans(old, new)?, new).await
}

async fn read(store: &dyn Store, spans: &[Span], size: u64) -> Result<Vec<Hash>, LedgerError> {
    let mut tiles = TileSet::default();
    for tile in TileSet::needed(spans, size) {
        let object = tile.key();
        let bytes = store.get(&object).await?.ok_or(LedgerError::Lost { object })?;
        tiles.add(tile, &bytes)?;
    }
    merkle::hashes(spans, &tiles).ok_or(LedgerError::malformed("tile", "it is too narrow for the proof"))
}
