//! The `%` templates of statements, as far as they are read natively: `%s`, `%(name)s` and `%%`.

use std::borrow::Cow;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use super::Dialect;
use super::literal::literal;
use crate::charset::Codec;

/// One step through a template, with where it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conversion<'q> {
    pub at: usize,
    pub end: usize,
    pub what: What<'q>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What<'q> {
    /// `%s`
    Next,
    /// `%(name)s`
    Named(&'q str),
    /// `%%`
    Percent,
    /// Anything else after a `%`: Python's business.
    Foreign,
}

/// The conversion that begins at the `%` at `at`.
pub fn conversion_at(template: &str, at: usize) -> Conversion<'_> {
    let rest = &template[at + 1..];
    let (what, length) = match rest.as_bytes().first() {
        Some(b's') => (What::Next, 1),
        Some(b'%') => (What::Percent, 1),
        Some(b'(') => match rest.find(')') {
            // Python counts parentheses inside a name.
            Some(close) if rest[close + 1..].starts_with('s') && !rest[1..close].contains('(') => {
                (What::Named(&rest[1..close]), close + 2)
            }
            _ => (What::Foreign, 0),
        },
        _ => (What::Foreign, 0),
    };
    Conversion {
        at,
        end: at + 1 + length,
        what,
    }
}

/// The conversions of `template` from left to right.
pub fn conversions(template: &str) -> impl Iterator<Item = Conversion<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let at = from + memchr::memchr(b'%', &template.as_bytes()[from..])?;
        let conversion = conversion_at(template, at);
        from = conversion.end;
        Some(conversion)
    })
}

/// A template taken apart, its own text in bytes of the connection's character set.
pub struct Template<'q> {
    pieces: Vec<Piece<'q>>,
    slots: Slots,
}

enum Piece<'q> {
    Text(Cow<'q, [u8]>),
    Next,
    Named(Py<PyString>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Slots {
    Positional(usize),
    Named,
}

impl<'q> Template<'q> {
    /// None where the template holds what only Python's own `%` can judge.
    pub fn compile(py: Python<'_>, template: &'q str, codec: &Codec) -> PyResult<Option<Self>> {
        let mut pieces = Vec::new();
        let mut slots = Slots::Positional(0);
        let mut from = 0;
        for conversion in conversions(template) {
            // Of `%%` the first stays with the text before it.
            let percent = usize::from(conversion.what == What::Percent);
            push_text(
                py,
                &template[from..conversion.at + percent],
                codec,
                &mut pieces,
            )?;
            from = conversion.end;
            match (conversion.what, &mut slots) {
                (What::Percent, _) => {}
                (What::Next, Slots::Positional(count)) => {
                    *count += 1;
                    pieces.push(Piece::Next);
                }
                (What::Named(name), Slots::Named | Slots::Positional(0)) => {
                    slots = Slots::Named;
                    pieces.push(Piece::Named(PyString::new(py, name).unbind()));
                }
                _ => return Ok(None),
            }
        }
        push_text(py, &template[from..], codec, &mut pieces)?;
        Ok(Some(Self { pieces, slots }))
    }

    /// The same, not tied to the text that it was made from.
    pub fn into_owned(self) -> Template<'static> {
        let own = |piece| match piece {
            Piece::Text(text) => Piece::Text(Cow::Owned(text.into_owned())),
            Piece::Next => Piece::Next,
            Piece::Named(name) => Piece::Named(name),
        };
        Template {
            pieces: self.pieces.into_iter().map(own).collect(),
            slots: self.slots,
        }
    }

    /// Writes the template with the literals of `args` in their places. False, with nothing
    /// written, where they do not fit: Python's own `%` then raises its own error.
    pub fn fill<'py>(
        &self,
        args: &Bound<'py, PyAny>,
        dialect: &Dialect<'_, 'py>,
        out: &mut Vec<u8>,
    ) -> PyResult<bool> {
        if let Ok(args) = args.cast_exact::<PyTuple>() {
            self.fill_positional(args.len(), args.iter(), dialect, out)
        } else if let Ok(args) = args.cast_exact::<PyList>() {
            self.fill_positional(args.len(), args.iter(), dialect, out)
        } else if let Ok(args) = args.cast_exact::<PyDict>() {
            self.fill_named(args, dialect, out)
        } else if args.is_instance_of::<PyTuple>()
            || args.is_instance_of::<PyList>()
            || args.is_instance_of::<PyDict>()
        {
            // Subclasses may iterate as they like.
            Ok(false)
        } else {
            self.fill_positional(1, std::iter::once(args.clone()), dialect, out)
        }
    }

    fn fill_positional<'py>(
        &self,
        length: usize,
        mut args: impl Iterator<Item = Bound<'py, PyAny>>,
        dialect: &Dialect<'_, 'py>,
        out: &mut Vec<u8>,
    ) -> PyResult<bool> {
        if self.slots != Slots::Positional(length) {
            return Ok(false);
        }
        let start = out.len();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                // A list that an encoder shortened meanwhile runs out.
                Piece::Next | Piece::Named(_) => match args.next() {
                    Some(value) => literal(&value, dialect, out)?,
                    None => {
                        out.truncate(start);
                        return Ok(false);
                    }
                },
            }
        }
        Ok(true)
    }

    fn fill_named<'py>(
        &self,
        args: &Bound<'py, PyDict>,
        dialect: &Dialect<'_, 'py>,
        out: &mut Vec<u8>,
    ) -> PyResult<bool> {
        let start = out.len();
        for piece in &self.pieces {
            let value = match piece {
                Piece::Text(text) => {
                    out.extend_from_slice(text);
                    continue;
                }
                Piece::Named(name) => args.get_item(name)?,
                Piece::Next => None,
            };
            match value {
                Some(value) => literal(&value, dialect, out)?,
                None => {
                    out.truncate(start);
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}

fn push_text<'q>(
    py: Python<'_>,
    text: &'q str,
    codec: &Codec,
    pieces: &mut Vec<Piece<'q>>,
) -> PyResult<()> {
    if text.is_empty() {
        return Ok(());
    }
    let bytes = if *codec == Codec::Utf8 || text.is_ascii() {
        Cow::Borrowed(text.as_bytes())
    } else {
        Cow::Owned(codec.encode(&PyString::new(py, text))?.into_owned())
    };
    pieces.push(Piece::Text(bytes));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(template: &str) -> Vec<What<'_>> {
        conversions(template)
            .map(|conversion| conversion.what)
            .collect()
    }

    #[test]
    fn the_three_that_are_read_natively() {
        assert_eq!(
            all("a %s %(b c)s %% d"),
            [What::Next, What::Named("b c"), What::Percent]
        );
        assert_eq!(all("%%s%%%s"), [What::Percent, What::Percent, What::Next]);
        assert_eq!(all("%()s"), [What::Named("")]);
        assert_eq!(all("nothing"), []);
    }

    #[test]
    fn everything_else_is_foreign() {
        for template in [
            "%d",
            "%5s",
            "% s",
            "%",
            "%(a)d",
            "%(a",
            "%(a(b)c)s",
            "%r",
            "%é",
        ] {
            assert_eq!(all(template)[0], What::Foreign, "{template}");
        }
    }
}
