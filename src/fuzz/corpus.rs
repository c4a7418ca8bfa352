//! The inputs that were interesting, in `src/fuzz/corpus/NAME.txt`: one of them in hexadecimal a line.

use std::fs;
use std::path::PathBuf;

pub struct Corpus {
    path: PathBuf,
    inputs: Vec<Vec<u8>>,
    grown: bool,
}

impl Corpus {
    pub fn read(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("src/fuzz/corpus")
            .join(format!("{name}.txt"));
        let text = fs::read_to_string(&path).unwrap_or_default();
        Self {
            path,
            inputs: text.lines().map(|line| from_hex(line).unwrap()).collect(),
            grown: false,
        }
    }

    pub fn inputs(&self) -> &[Vec<u8>] {
        &self.inputs
    }

    pub fn keep(&mut self, input: Vec<u8>) {
        self.inputs.push(input);
        self.grown = true;
    }

    pub fn write(&self) {
        if self.grown {
            let lines = self.inputs.iter().map(|input| to_hex(input) + "\n");
            fs::write(&self.path, lines.collect::<String>()).unwrap();
        }
    }
}

pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// None where it is no even number of hexadecimal digits.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}
