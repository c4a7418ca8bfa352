//! Escaping of bytes between single quotes. Pure: no Python, no character sets; the bytes must be
//! of a character set in which a byte below 0x80 always stands for itself.

/// For each byte the letter that follows the backslash, or 0 where the byte needs none.
const BACKSLASHED: [u8; 256] = {
    let mut table = [0; 256];
    table[0] = b'0';
    table[b'\n' as usize] = b'n';
    table[b'\r' as usize] = b'r';
    table[0x1a] = b'Z';
    table[b'"' as usize] = b'"';
    table[b'\'' as usize] = b'\'';
    table[b'\\' as usize] = b'\\';
    table
};

/// Escapes for a server whose sql_mode lets a backslash escape.
pub fn escape_backslash(bytes: &[u8], out: &mut Vec<u8>) {
    out.reserve(bytes.len());
    let mut rest = bytes;
    loop {
        let (plain, tail) = rest.split_at(plain_prefix(rest));
        out.extend_from_slice(plain);
        let Some((&special, tail)) = tail.split_first() else {
            return;
        };
        out.extend_from_slice(&[b'\\', BACKSLASHED[usize::from(special)]]);
        rest = tail;
    }
}

/// Escapes for a server under NO_BACKSLASH_ESCAPES: a quote is doubled, nothing else changes.
pub fn escape_quotes(bytes: &[u8], out: &mut Vec<u8>) {
    out.reserve(bytes.len());
    let mut start = 0;
    for quote in memchr::memchr_iter(b'\'', bytes) {
        out.extend_from_slice(&bytes[start..=quote]);
        out.push(b'\'');
        start = quote + 1;
    }
    out.extend_from_slice(&bytes[start..]);
}

/// `bytes` as hexadecimal digits, which no character set and no sql_mode can misread.
pub fn hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.reserve(2 * bytes.len());
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
}

/// How many leading bytes need no escape. Whole blocks are tested without a branch for each byte,
/// so that the compiler makes vector instructions of it.
fn plain_prefix(bytes: &[u8]) -> usize {
    const BLOCK: usize = 32;
    let mut length = 0;
    for block in bytes.chunks_exact(BLOCK) {
        if block
            .iter()
            .fold(false, |found, &byte| found | is_special(byte))
        {
            break;
        }
        length += BLOCK;
    }
    length
        + bytes[length..]
            .iter()
            .position(|&byte| BACKSLASHED[usize::from(byte)] != 0)
            .unwrap_or(bytes.len() - length)
}

/// The same set as `BACKSLASHED`, in comparisons that vectorise where a table look-up does not.
fn is_special(byte: u8) -> bool {
    (byte == 0)
        | (byte == b'\n')
        | (byte == b'\r')
        | (byte == 0x1a)
        | (byte == b'"')
        | (byte == b'\'')
        | (byte == b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backslash(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        escape_backslash(bytes, &mut out);
        out
    }

    #[test]
    fn the_table_and_the_comparisons_agree() {
        for byte in 0..=255u8 {
            assert_eq!(
                is_special(byte),
                BACKSLASHED[usize::from(byte)] != 0,
                "{byte:#x}"
            );
        }
    }

    #[test]
    fn each_special_byte_gets_its_letter() {
        assert_eq!(backslash(b"\0\n\r\x1a\"'\\"), br#"\0\n\r\Z\"\'\\"#);
        assert_eq!(backslash(b"\t\x08%_"), b"\t\x08%_");
        assert_eq!(backslash(b""), b"");
    }

    #[test]
    fn a_special_byte_is_found_wherever_it_stands() {
        for length in 1..100 {
            for at in 0..length {
                let mut bytes = vec![b'a'; length];
                bytes[at] = b'\'';
                let expected = [&bytes[..at], b"\\'", &bytes[at + 1..]].concat();
                assert_eq!(backslash(&bytes), expected, "{at} of {length}");
            }
        }
    }

    #[test]
    fn only_quotes_are_doubled() {
        let mut out = Vec::new();
        escape_quotes(b"'a\\'\"\0''", &mut out);
        assert_eq!(out, b"''a\\''\"\0''''");
    }

    #[test]
    fn hexadecimal() {
        let mut out = Vec::new();
        hex(&[0, 0x5c, 0xff], &mut out);
        assert_eq!(out, b"005cff");
    }
}
