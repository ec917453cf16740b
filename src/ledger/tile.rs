//! Tiles and entry bundles, C2SP tlog-tiles: their names, their bytes, and which of them a tree of some size has.
//!
//! Left out: reading and writing them.

use std::collections::BTreeMap;

use crate::ledger::merkle::{self, Frontier, Nodes, Span};
use crate::ledger::{Hash, LedgerError, checkpoint};

/// Hashes or entries in a full tile.
pub const WIDTH: u64 = 256;
/// The height of a tile.
const HEIGHT: u32 = 8;
/// Where tiles lie in the store.
pub const PREFIX: &str = "log/tile/";

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Row {
    /// Entries, length-prefixed.
    Entries,
    /// Hashes of subtrees of 256^level leaves.
    Hashes(u32),
}

impl Row {
    fn level(self) -> u32 {
        match self {
            Self::Entries => 0,
            Self::Hashes(level) => level,
        }
    }
}

/// One tile or bundle: which row, the how manieth, how wide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tile {
    /// The row.
    pub row: Row,
    /// The index in its row.
    pub index: u64,
    /// 1 to 256.
    pub width: u64,
}

impl Tile {
    /// The object's key, below `log/tile/`.
    #[must_use]
    pub fn key(&self) -> String {
        let row = match self.row {
            Row::Entries => "entries".to_owned(),
            Row::Hashes(level) => level.to_string(),
        };
        let mut number = format!("{:03}", self.index % 1000);
        let mut rest = self.index / 1000;
        while rest > 0 {
            number = format!("x{:03}/{number}", rest % 1000);
            rest /= 1000;
        }
        let partial = if self.width < WIDTH { format!(".p/{}", self.width) } else { String::new() };
        format!("{PREFIX}{row}/{number}{partial}")
    }

    /// The tile of a key that `key` would have made.
    #[must_use]
    pub fn parse(key: &str) -> Option<Self> {
        let (row, rest) = key.strip_prefix(PREFIX)?.split_once('/')?;
        let row = if row == "entries" { Row::Entries } else { Row::Hashes(u32::try_from(checkpoint::decimal(row)?).ok()?) };
        let (number, width) = rest.split_once(".p/").map_or(Some((rest, WIDTH)), |(number, width)| Some((number, checkpoint::decimal(width)?)))?;
        let mut index = 0_u64;
        for part in number.split('/') {
            index = index.checked_mul(1000)?.checked_add(part.strip_prefix('x').unwrap_or(part).parse().ok()?)?;
        }
        let tile = Self { row, index, width };
        (width > 0 && tile.key() == key).then_some(tile)
    }

    /// The tile of `row` that holds the row's element `element` in a tree of `size` leaves; none where the tree is too small.
    #[must_use]
    pub fn holding(row: Row, element: u64, size: u64) -> Option<Self> {
        let index = element / WIDTH;
        let filled = size.checked_shr(HEIGHT.saturating_mul(row.level())).unwrap_or(0);
        let width = filled.saturating_sub(index.saturating_mul(WIDTH)).min(WIDTH);
        (element % WIDTH < width).then_some(Self { row, index, width })
    }
}

/// The partial tiles and bundle at the right edge of a tree, tlog-tiles "Partial Tiles".
#[must_use]
pub fn edge(size: u64) -> Vec<Tile> {
    let levels = (0..HEIGHT).map(Row::Hashes);
    let at = |row: Row| {
        let filled = size.checked_shr(HEIGHT.saturating_mul(row.level())).unwrap_or(0);
        (!filled.is_multiple_of(WIDTH)).then_some(Tile { row, index: filled / WIDTH, width: filled % WIDTH })
    };
    std::iter::once(Row::Entries).chain(levels).filter_map(at).collect()
}

/// An object to be written, or to be compared with what was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// Which.
    pub tile: Tile,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A tree that grows leaf by leaf and draws its tiles as they fill. Holds the unfinished tiles only.
#[derive(Debug, Clone, Default)]
pub struct Tiling {
    frontier: Frontier,
    /// The unfinished tile of each level.
    rows: [Vec<Hash>; 8],
    /// The unfinished bundle, encoded.
    bundle: Vec<u8>,
}

impl Tiling {
    /// Takes in the next entry and gives the tiles that are full with it.
    ///
    /// # Errors
    /// `LedgerError::TooLarge` where a bundle cannot hold it.
    pub fn push(&mut self, entry: &[u8]) -> Result<Vec<Drawn>, LedgerError> {
        let length = u16::try_from(entry.len()).map_err(|_source| LedgerError::TooLarge { bytes: entry.len(), limit: usize::from(u16::MAX) })?;
        self.bundle.extend(length.to_be_bytes());
        self.bundle.extend(entry);
        let mut hash = merkle::leaf(entry);
        self.frontier.push(hash);
        let mut full = Vec::new();
        let size = self.size();
        if size.is_multiple_of(WIDTH) {
            full.push(drawn(Row::Entries, size, std::mem::take(&mut self.bundle)));
        }
        for (level, row) in (0..).zip(&mut self.rows) {
            row.push(hash);
            if u64::try_from(row.len()).unwrap_or(u64::MAX) < WIDTH {
                break;
            }
            let hashes = std::mem::take(row);
            full.push(drawn(Row::Hashes(level), size, hashes.concat()));
            let mut subtree = Frontier::default();
            hashes.into_iter().for_each(|hash| subtree.push(hash));
            hash = subtree.root();
        }
        Ok(full)
    }

    /// The partial tiles of the tree as it is.
    #[must_use]
    pub fn edge(&self) -> Vec<Drawn> {
        let bytes = |tile: &Tile| match tile.row {
            Row::Entries => self.bundle.clone(),
            Row::Hashes(level) => usize::try_from(level).ok().and_then(|level| self.rows.get(level)).map(|row| row.concat()).unwrap_or_default(),
        };
        edge(self.size()).into_iter().map(|tile| Drawn { tile, bytes: bytes(&tile) }).collect()
    }

    /// Number of entries.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The tree's root.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }
}

/// The row's newest tile of a tree of `size`, which is full.
fn drawn(row: Row, size: u64, bytes: Vec<u8>) -> Drawn {
    let filled = size.checked_shr(HEIGHT.saturating_mul(row.level())).unwrap_or(0);
    Drawn { tile: Tile { row, index: (filled / WIDTH).saturating_sub(1), width: WIDTH }, bytes }
}

/// The entries of a bundle, tlog-tiles "Log entries".
///
/// # Errors
/// `LedgerError::Malformed` where lengths and bytes disagree.
pub fn entries(bundle: &[u8]) -> Result<Vec<&[u8]>, LedgerError> {
    let mut entries = Vec::new();
    let mut rest = bundle;
    while !rest.is_empty() {
        let cut = rest.split_first_chunk::<2>().and_then(|(length, tail)| tail.split_at_checked(usize::from(u16::from_be_bytes(*length))));
        let Some((entry, tail)) = cut else {
            return Err(LedgerError::malformed("entry bundle", "it ends in the middle of an entry"));
        };
        entries.push(entry);
        rest = tail;
    }
    Ok(entries)
}

/// The hashes of a tile.
///
/// # Errors
/// `LedgerError::Malformed` where they are not whole.
pub fn hashes(tile: &[u8]) -> Result<Vec<Hash>, LedgerError> {
    let (hashes, rest) = tile.as_chunks::<32>();
    if rest.is_empty() { Ok(hashes.to_vec()) } else { Err(LedgerError::malformed("tile", "its hashes are not whole")) }
}

/// Tiles that were read, as a source of proofs.
#[derive(Debug, Clone, Default)]
pub struct TileSet {
    tiles: BTreeMap<(u32, u64), Vec<Hash>>,
}

impl TileSet {
    /// The hash tiles that a tree of `size` needs for the hashes of `spans`.
    #[must_use]
    pub fn needed(spans: &[Span], size: u64) -> Vec<Tile> {
        let parts = spans.iter().flat_map(|span| span.subtrees());
        let tile = |(level, index)| Tile::holding(Row::Hashes(level / HEIGHT), index << (level % HEIGHT), size);
        let mut tiles: Vec<_> = parts.filter_map(tile).collect();
        tiles.sort_unstable();
        tiles.dedup();
        tiles
    }

    /// Takes in a tile's bytes.
    ///
    /// # Errors
    /// `LedgerError::Malformed` where they are not the tile's.
    pub fn add(&mut self, tile: Tile, bytes: &[u8]) -> Result<(), LedgerError> {
        let hashes = hashes(bytes)?;
        if u64::try_from(hashes.len()).ok() != Some(tile.width) {
            return Err(LedgerError::malformed("tile", "it is not as wide as its name says"));
        }
        self.tiles.insert((tile.row.level(), tile.index), hashes);
        Ok(())
    }
}

impl Nodes for TileSet {
    fn node(&self, level: u32, index: u64) -> Option<Hash> {
        let (row, above) = (level / HEIGHT, level % HEIGHT);
        let first = index.checked_shl(above)?;
        let hashes = self.tiles.get(&(row, first / WIDTH))?;
        let start = usize::try_from(first % WIDTH).ok()?;
        let end = start.checked_add(1_usize.checked_shl(above)?)?;
        let mut subtree = Frontier::default();
        hashes.get(start..end)?.iter().for_each(|hash| subtree.push(*hash));
        Some(subtree.root())
    }
}
