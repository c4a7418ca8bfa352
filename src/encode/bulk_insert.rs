//! Which INSERT statements can take many rows at once, and where their one row stands.

use super::template::{What, conversions};
use super::tokens::{Spanned, Token, tokenize};

/// An INSERT or REPLACE … VALUES in three parts: `prefix values postfix`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkInsert {
    /// Up to the row, as it goes to the server.
    pub prefix: String,
    /// The row with its parentheses, a `%` template.
    pub values: String,
    /// What follows the row, as it goes to the server.
    pub postfix: String,
}

/// Words in a row that begin a sub-select, or whose value depends on the statement before.
const NOT_IN_A_ROW: [&str; 7] = [
    "SELECT",
    "TABLE",
    "VALUES",
    "WITH",
    "LAST_INSERT_ID",
    "ROW_COUNT",
    "FOUND_ROWS",
];

const MODIFIERS: [&str; 4] = ["LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "IGNORE"];

impl BulkInsert {
    /// None where many rows in one statement would not do what one statement for each row does,
    /// or where that is not certain.
    pub fn parse(query: &str) -> Option<Self> {
        let tokens = tokenize(query)?;
        let mut parser = Parser {
            query,
            tokens: &tokens,
        };
        parser.head()?;
        let row_start = parser.tokens.first()?.start;
        let row_tokens = parser.parenthesised()?;
        let row_end = row_tokens.last()?.end;
        let postfix_end = parser.tail()?;

        let values = &query[row_start..row_end];
        check_row(query, row_tokens)?;
        Some(Self {
            prefix: unescaped(query[..row_start].trim_start())?,
            values: values.to_owned(),
            postfix: postfix(query[row_end..postfix_end].trim_end())?,
        })
    }
}

/// Reads tokens from the left; each step is None where the grammar does not go on.
struct Parser<'a> {
    query: &'a str,
    tokens: &'a [Spanned],
}

impl<'a> Parser<'a> {
    /// `INSERT [modifiers] [INTO] table [PARTITION (…)] [(columns)] VALUES`
    fn head(&mut self) -> Option<()> {
        if !self.word("INSERT") && !self.word("REPLACE") {
            return None;
        }
        while MODIFIERS.iter().any(|modifier| self.word(modifier)) {}
        self.word("INTO");
        self.name()?;
        while self.symbol(b'.') {
            self.name()?;
        }
        if self.word("PARTITION") {
            self.parenthesised()?;
        }
        if self.peek() == Some(Token::Symbol(b'(')) {
            self.parenthesised()?;
        }
        (self.word("VALUES") || self.word("VALUE")).then_some(())
    }

    /// Nothing, `AS alias …`, `ON DUPLICATE KEY UPDATE …`, or both, and a semicolon at the most.
    /// Returns where the statement ends.
    fn tail(&mut self) -> Option<usize> {
        if !matches!(self.peek(), None | Some(Token::Symbol(b';')))
            && !self.next_is("AS")
            && !self.next_is("ON")
        {
            return None;
        }
        while let Some((first, rest)) = self.tokens.split_first() {
            if first.token == Token::Symbol(b';') {
                return rest.is_empty().then_some(first.start);
            }
            // RETURNING gives rows: how many results there are would change.
            if first.token == Token::Placeholder || self.next_is("RETURNING") {
                return None;
            }
            self.tokens = rest;
        }
        Some(self.query.len())
    }

    /// A name, which may be quoted; VALUES and SELECT are reserved.
    fn name(&mut self) -> Option<()> {
        let named = match self.peek()? {
            Token::Quoted => true,
            Token::Word => !["VALUES", "SELECT", "SET", "PARTITION"]
                .iter()
                .any(|word| self.next_is(word)),
            _ => false,
        };
        named.then(|| self.tokens = &self.tokens[1..])
    }

    /// The tokens from an opening parenthesis to the one that closes it.
    fn parenthesised(&mut self) -> Option<&'a [Spanned]> {
        if self.peek() != Some(Token::Symbol(b'(')) {
            return None;
        }
        let mut depth = 0_usize;
        let length = self.tokens.iter().position(|spanned| {
            match spanned.token {
                Token::Symbol(b'(') => depth += 1,
                Token::Symbol(b')') => depth -= 1,
                _ => {}
            }
            depth == 0
        })?;
        let (inside, rest) = self.tokens.split_at(length + 1);
        self.tokens = rest;
        Some(inside)
    }

    fn peek(&self) -> Option<Token> {
        self.tokens.first().map(|spanned| spanned.token)
    }

    fn next_is(&self, word: &str) -> bool {
        self.tokens
            .first()
            .is_some_and(|spanned| is_word(self.query, spanned, word))
    }

    fn word(&mut self, word: &str) -> bool {
        let found = self.next_is(word);
        if found {
            self.tokens = &self.tokens[1..];
        }
        found
    }

    fn symbol(&mut self, symbol: u8) -> bool {
        let found = self.peek() == Some(Token::Symbol(symbol));
        if found {
            self.tokens = &self.tokens[1..];
        }
        found
    }
}

fn is_word(query: &str, spanned: &Spanned, word: &str) -> bool {
    spanned.token == Token::Word && query[spanned.start..spanned.end].eq_ignore_ascii_case(word)
}

/// A row must hold placeholders, all of them outside quotes and comments, and nothing whose value
/// depends on how the rows are cut into statements.
fn check_row(query: &str, tokens: &[Spanned]) -> Option<()> {
    let (first, last) = (tokens.first()?, tokens.last()?);
    let mut placeholders = Vec::new();
    for spanned in tokens {
        match spanned.token {
            Token::Placeholder => placeholders.push(spanned.start),
            Token::Symbol(b';' | b'@') => return None,
            Token::Word
                if NOT_IN_A_ROW
                    .iter()
                    .any(|word| is_word(query, spanned, word)) =>
            {
                return None;
            }
            _ => {}
        }
    }
    let mut written = Vec::new();
    for conversion in conversions(&query[first.start..last.end]) {
        match conversion.what {
            What::Next | What::Named(_) => written.push(first.start + conversion.at),
            What::Percent => {}
            What::Foreign => return None,
        }
    }
    (!placeholders.is_empty() && placeholders == written).then_some(())
}

/// A template without arguments, `%%` being the only conversion it may hold.
fn unescaped(template: &str) -> Option<String> {
    conversions(template)
        .all(|conversion| conversion.what == What::Percent)
        .then(|| template.replace("%%", "%"))
}

/// What follows the row. Upstream never formatted it, so there are statements with a bare `%` in
/// it (`n % 2`, a date format in quotes): with any such the whole stays as it is.
fn postfix(template: &str) -> Option<String> {
    if conversions(template).any(|conversion| conversion.what == What::Foreign) {
        return Some(template.to_owned());
    }
    unescaped(template)
}

#[cfg(test)]
mod tests;
