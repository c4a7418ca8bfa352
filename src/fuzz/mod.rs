//! Hostile input for what reads bytes that we did not make, on stable Rust.
//!
//! `cargo test --lib fuzz` replays the corpus of each target (a hexadecimal line for each input)
//! and then some thousands of inputs made of it by a seeded generator. `make fuzz` runs a million
//! and more, counts which regions of our code each reaches (tools/fuzz.py), and keeps in the corpus
//! what reaches a new one. A failure prints its input; `AIOMYSQL_FUZZ_INPUT=hex` runs that alone.

mod bulk_insert;
mod corpus;
mod coverage;
mod input;
mod interpolation;
mod mutate;
mod options;
mod rows;
mod values;

use std::time::Instant;

use pyo3::prelude::*;

use corpus::Corpus;
use coverage::Coverage;
pub use input::Input;
use mutate::{Random, mutated};

/// Inputs in `make test`: a few seconds.
const FEW: u64 = 20_000;
const SEED: u64 = 0x6d79_7371_6c00_2026;

fn number(variable: &str, default: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text.parse().unwrap(),
        Err(_) => default,
    }
}

/// Says which input it was, should the code under it panic.
struct Confession<'a>(&'static str, &'a [u8]);

impl Drop for Confession<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let input = corpus::to_hex(self.1);
            eprintln!("fuzz {}: AIOMYSQL_FUZZ_INPUT={input}", self.0);
        }
    }
}

/// Runs a target over its corpus, and over what comes of that.
pub fn fuzz(name: &'static str, target: impl Fn(Python<'_>, &mut Input<'_>)) {
    Python::initialize();
    let run = |bytes: &[u8]| {
        let _confession = Confession(name, bytes);
        Python::attach(|py| target(py, &mut Input::new(bytes)));
    };
    if let Ok(hex) = std::env::var("AIOMYSQL_FUZZ_INPUT") {
        run(&corpus::from_hex(&hex).unwrap());
        return;
    }
    let mut corpus = Corpus::read(name);
    for input in corpus.inputs() {
        run(input);
    }
    let count = number("AIOMYSQL_FUZZ_INPUTS", FEW);
    let mut random = Random::new(number("AIOMYSQL_FUZZ_SEED", SEED));
    let mut coverage = Coverage::new();
    let (began, known) = (Instant::now(), corpus.inputs().len());
    for _ in 0..count {
        let bytes = mutated(corpus.inputs(), &mut random);
        run(&bytes);
        if coverage.has_grown() {
            corpus.keep(bytes);
        }
    }
    println!(
        "fuzz {name}: {count} inputs in {:.1} s; {known} in the corpus and {} new; {coverage}",
        began.elapsed().as_secs_f64(),
        corpus.inputs().len() - known,
    );
    corpus.write();
}
