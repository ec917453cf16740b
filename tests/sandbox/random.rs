//! Deterministic choices: every choice is drawn from the seed, a purpose and an index, so that one more repository or night changes no other.

/// A stream of choices (`SplitMix64`).
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    /// The stream for a purpose and the indices that it concerns.
    pub(crate) fn of(seed: u64, purpose: &str, indices: &[u64]) -> Self {
        let mut state = 0xcbf2_9ce4_8422_2325_u64 ^ seed;
        let numbers = indices.iter().flat_map(|index| index.to_le_bytes());
        for byte in purpose.bytes().chain(numbers) {
            state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        let mut dice = Self(state);
        dice.draw();
        dice
    }

    /// 64 random bits.
    pub(crate) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`; 0 where the limit is 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        self.draw().checked_rem(limit).and_then(|number| usize::try_from(number).ok()).unwrap_or(0)
    }

    /// True in `percent` of 100 cases.
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of `choices`, which may not be empty.
    pub(crate) fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        choices.get(self.below(choices.len())).expect("something to choose from")
    }

    /// A name of `length` hexadecimal digits, as Git gives its objects.
    pub(crate) fn hex(&mut self, length: usize) -> String {
        let mut text = String::with_capacity(length + 16);
        while text.len() < length {
            text.push_str(&format!("{:016x}", self.draw()));
        }
        text.truncate(length);
        text
    }
}
