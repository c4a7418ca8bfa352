//! Which regions of our code have been reached: what `-C instrument-coverage` counts, read here in
//! the process itself. Without that (`cfg(coverage_counters)`, set by tools/fuzz.py) nothing is new.

use std::fmt;

#[derive(Default)]
pub struct Coverage {
    reached: usize,
    known: usize,
}

impl Coverage {
    /// What is reached so far is known.
    pub fn new() -> Self {
        let reached = reached();
        Self {
            reached,
            known: reached,
        }
    }

    /// Whether a region has been reached that was not when this was asked last.
    pub fn has_grown(&mut self) -> bool {
        let before = std::mem::replace(&mut self.reached, reached());
        self.reached > before
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reached {
            0 => write!(f, "regions not counted"),
            reached => write!(f, "{} regions, then {reached}", self.known),
        }
    }
}

#[cfg(not(coverage_counters))]
fn reached() -> usize {
    0
}

#[cfg(coverage_counters)]
fn reached() -> usize {
    unsafe extern "C" {
        fn __llvm_profile_begin_counters() -> *const u64;
        fn __llvm_profile_end_counters() -> *const u64;
    }
    // SAFETY: functions of the profiling runtime that rustc links; they give the bounds of its one
    // array of counters, which lives as long as the program. The counters are written without
    // atomics by other threads, if any; a volatile read of one gives a value that it had.
    unsafe {
        let (begin, end) = (
            __llvm_profile_begin_counters(),
            __llvm_profile_end_counters(),
        );
        let count = end.offset_from(begin) as usize;
        (0..count)
            .filter(|index| begin.add(*index).read_volatile() != 0)
            .count()
    }
}
