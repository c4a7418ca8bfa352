//! The tokens of a statement that is also a `%` template. Pure, and strict: what different servers
//! or sql_modes would read differently is no token but the end.

use super::template::{What, conversion_at};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    /// A keyword, an unquoted name or a number.
    Word,
    /// Something between quotes or backticks.
    Quoted,
    /// `%s` or `%(name)s`, outside quotes and comments.
    Placeholder,
    /// `%%`, or a `%` that begins no placeholder.
    Percent,
    /// Any other single character.
    Symbol(u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spanned {
    pub token: Token,
    pub start: usize,
    pub end: usize,
}

/// The tokens of `query` without white space and comments; None for a literal or a comment that
/// does not end, one that ends elsewhere under another sql_mode, and executable comments.
pub fn tokenize(query: &str) -> Option<Vec<Spanned>> {
    let bytes = query.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&first) = bytes.get(at) {
        let (token, end) = match first {
            b' ' | b'\t'..=b'\r' => {
                at += 1;
                continue;
            }
            b'#' => {
                at = line_end(bytes, at);
                continue;
            }
            b'-' if is_dash_comment(bytes, at) => {
                at = line_end(bytes, at);
                continue;
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at = comment_end(query, at)?;
                continue;
            }
            b'\'' | b'"' => (Token::Quoted, string_end(bytes, at)?),
            b'`' => (Token::Quoted, doubled_end(bytes, at)?),
            b'%' => {
                let conversion = conversion_at(query, at);
                match conversion.what {
                    What::Next | What::Named(_) => (Token::Placeholder, conversion.end),
                    What::Percent | What::Foreign => (Token::Percent, conversion.end),
                }
            }
            // A control character, `\N` of old, a client's `\g`: nothing to guess about.
            b'\\' | 0..0x20 | 0x7f => return None,
            _ if is_word(first) => (Token::Word, word_end(bytes, at)),
            _ => (Token::Symbol(first), at + 1),
        };
        tokens.push(Spanned {
            token,
            start: at,
            end,
        });
        at = end;
    }
    Some(tokens)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80
}

fn word_end(bytes: &[u8], start: usize) -> usize {
    let length = bytes[start..].iter().position(|&byte| !is_word(byte));
    length.map_or(bytes.len(), |length| start + length)
}

fn line_end(bytes: &[u8], start: usize) -> usize {
    memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |length| start + length)
}

/// Two dashes begin a comment only before white space or a control character.
fn is_dash_comment(bytes: &[u8], at: usize) -> bool {
    bytes.get(at + 1) == Some(&b'-') && bytes.get(at + 2).is_none_or(|&byte| byte <= b' ')
}

fn comment_end(query: &str, start: usize) -> Option<usize> {
    let inside = &query[start + 2..];
    if inside.starts_with('!') || inside.starts_with("M!") {
        return None;
    }
    Some(start + 2 + inside.find("*/")? + 2)
}

/// The end of a quoted string, if it is the same with and without NO_BACKSLASH_ESCAPES.
fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let end = doubled_end(bytes, start)?;
    let quote = bytes[start];
    let mut at = start + 1;
    loop {
        match *bytes.get(at)? {
            b'\\' => at += 2,
            byte if byte != quote => at += 1,
            _ if bytes.get(at + 1) == Some(&quote) => at += 2,
            _ => break,
        }
    }
    (at + 1 == end).then_some(end)
}

/// The end of a quoted token in which only doubling escapes the quote.
fn doubled_end(bytes: &[u8], start: usize) -> Option<usize> {
    let quote = bytes[start];
    let mut at = start + 1;
    loop {
        at += memchr::memchr(quote, bytes.get(at..)?)? + 1;
        if bytes.get(at) != Some(&quote) {
            return Some(at);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(query: &str) -> Option<Vec<&str>> {
        let tokens = tokenize(query)?;
        Some(
            tokens
                .iter()
                .map(|token| &query[token.start..token.end])
                .collect(),
        )
    }

    #[test]
    fn words_symbols_and_placeholders() {
        assert_eq!(
            texts("f(a1,%s,%(b)s) %% 5%x").unwrap(),
            [
                "f", "(", "a1", ",", "%s", ",", "%(b)s", ")", "%%", "5", "%", "x"
            ]
        );
    }

    #[test]
    fn comments_are_left_out() {
        assert_eq!(
            texts("a -- b'\nc # d\"\n/* e ' */ f --").unwrap(),
            ["a", "c", "f"]
        );
        assert_eq!(texts("1--2").unwrap(), ["1", "-", "-", "2"]);
        assert_eq!(texts("a/b").unwrap(), ["a", "/", "b"]);
        assert_eq!(texts("/*+ hint */ a").unwrap(), ["a"]);
    }

    #[test]
    fn quotes_of_all_kinds() {
        for quoted in [
            "'a'", "'a''b'", "\"a'b\"", "`a``b'`", "''", "'a\\nb'", "'a\\\\'",
        ] {
            assert_eq!(texts(quoted).unwrap(), [quoted]);
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for query in [
            "'a\\'",
            "'a\\' b'",
            "'a",
            "`a",
            "/* a",
            "/*!50000 a */",
            "/*M! a */",
            "\\N",
            "\0",
        ] {
            assert_eq!(texts(query), None, "{query}");
        }
    }

    #[test]
    fn placeholders_inside_quotes_are_no_tokens() {
        assert_eq!(texts("'%s' `%s` /* %s */").unwrap(), ["'%s'", "`%s`"]);
    }
}
