//! Random choices read from a list of numbers: whatever is made of a tape shrinks as the tape does. A tape that has
//! run out reads as zeros, and zero is always the plainest choice.

/// The choices that are left.
pub struct Tape<'t>(&'t [u32]);

impl<'t> Tape<'t> {
    pub fn new(choices: &'t [u32]) -> Self {
        Self(choices)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first as usize % bound.max(1)
    }

    /// True once in `times`; never when the tape has run out.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == times - 1
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    pub fn pick_ref<'p, T>(&mut self, from: &'p [T]) -> &'p T {
        &from[self.below(from.len())]
    }
}
