//! New inputs of old ones, by a generator that a seed decides.

/// xorshift64*.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.max(1))
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

/// What makes readers stumble, or gets them further.
const WORDS: [&[u8]; 56] = [
    b"\0",
    b"\xff",
    b"\xfb",
    b"\xfe",
    b"\x80",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"%s",
    b"%",
    b"%%",
    b"%(a)s",
    b"%(",
    b")s",
    b"%d",
    b"(",
    b")",
    b",",
    b";",
    b"'",
    b"\"",
    b"`",
    b"\\",
    b"--",
    b"-- \n",
    b"#",
    b"/*",
    b"*/",
    b"/*!",
    b"insert into t ",
    b"INSERT ",
    b"REPLACE ",
    b"values ",
    b"(%s, %s)",
    b" on duplicate key update ",
    b" AS new ",
    b"(a, b)",
    b"\n",
    b"-",
    b"0",
    b"9",
    b".",
    b"e",
    b":",
    b"0000-00-00",
    b"2024-02-29 23:59:59.999999",
    b"-838:59:59",
    b"18446744073709551616",
    b"1e308",
    b"nan",
    b"{\"a\": [1]}",
    b"null",
    b"/",
    b"ca",
    b"[::1]",
    b"\xe2\x82\xac",
];

const LONGEST: usize = 200;

pub fn mutated(corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = match corpus.is_empty() {
        true => Vec::new(),
        false => corpus[random.below(corpus.len())].clone(),
    };
    for _ in 0..=random.below(4) {
        change(&mut bytes, corpus, random);
    }
    bytes.truncate(LONGEST);
    bytes
}

fn change(bytes: &mut Vec<u8>, corpus: &[Vec<u8>], random: &mut Random) {
    let at = random.below(bytes.len() + 1);
    match random.below(8) {
        0 => bytes.insert(at, random.next() as u8),
        1 if at < bytes.len() => bytes[at] = random.next() as u8,
        2 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
        3 => {
            let end = (at + random.below(8)).min(bytes.len());
            bytes.drain(at..end);
        }
        4 if !corpus.is_empty() => {
            let other = &corpus[random.below(corpus.len())];
            bytes.truncate(at);
            bytes.extend_from_slice(&other[random.below(other.len() + 1)..]);
        }
        5 => {
            let end = (at + random.below(16)).min(bytes.len());
            let again = bytes[at..end].to_vec();
            bytes.splice(at..at, again);
        }
        _ => {
            let word = WORDS[random.below(WORDS.len())];
            bytes.splice(at..at, word.iter().copied());
        }
    }
}
