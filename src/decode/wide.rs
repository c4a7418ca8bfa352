//! Short UTF-8 beyond ASCII, to the three widths that CPython keeps its characters in. CPython's own
//! decoder takes twice as long for such texts: it does not know how long they will be.

use std::mem::MaybeUninit;
use std::slice;

use pyo3::ffi;
use pyo3::prelude::*;

use super::object::{self, Object};

/// Texts of more bytes are left to CPython, whose loop is no slower than ours.
pub const LIMIT: usize = 64;

/// The text; None, and no exception, where the bytes are more than [`LIMIT`] or no UTF-8, and for
/// none or a single one.
pub fn short_text<'py>(py: Python<'py>, bytes: &[u8]) -> Object<'py> {
    if bytes.len() < 2 {
        return None;
    }
    let mut room = [const { MaybeUninit::uninit() }; LIMIT];
    let (characters, widest) = decode(bytes, &mut room)?;
    match widest {
        0..0x100 => new_text(py, characters, 0xff, |character| character as u8),
        0x100..0x1_0000 => new_text(py, characters, 0xffff, |character| character as u16),
        _ => new_text(py, characters, 0x10_ffff, |character| character),
    }
}

/// A `str` of the narrowest width that holds `widest`, as CPython requires of its strings.
#[inline(never)]
fn new_text<'py, T>(
    py: Python<'py>,
    characters: &[u32],
    widest: ffi::Py_UCS4,
    narrow: impl Fn(u32) -> T,
) -> Object<'py> {
    let size = characters.len() as ffi::Py_ssize_t;
    // SAFETY: PyUnicode_New gives a str of `size` characters of the width that `widest` asks for,
    // which is `T`'s, and which nobody else sees yet; all of them are written.
    unsafe {
        let Some(text) = object::owned(py, ffi::PyUnicode_New(size, widest)) else {
            ffi::PyErr_Clear();
            return None;
        };
        let data = ffi::PyUnicode_DATA(text.as_ptr()).cast::<T>();
        for (index, character) in characters.iter().enumerate() {
            data.add(index).write(narrow(*character));
        }
        Some(text)
    }
}

/// The characters, and a number as wide as the widest of them.
#[inline(always)]
fn decode<'a>(bytes: &[u8], room: &'a mut [MaybeUninit<u32>; LIMIT]) -> Option<(&'a [u32], u32)> {
    if bytes.len() > LIMIT {
        return None;
    }
    let mut bytes = bytes.iter();
    let (mut count, mut widest) = (0, 0);
    while let Some(first) = bytes.next() {
        let mut character = u32::from(*first);
        if character >= 0x80 {
            character = wide_character(character, &mut bytes)?;
            widest |= character;
        }
        // SAFETY: no more characters than bytes, for which there is room.
        unsafe { room.get_unchecked_mut(count) }.write(character);
        count += 1;
    }
    // SAFETY: that many have been written.
    let characters = unsafe { slice::from_raw_parts(room.as_ptr().cast(), count) };
    Some((characters, widest))
}

/// The character that this first byte and some of the next ones make.
#[inline(always)]
fn wide_character(first: u32, bytes: &mut slice::Iter<'_, u8>) -> Option<u32> {
    let (character, valid) = match first {
        0xc2..0xe0 => return append(first & 0x1f, bytes),
        0xe0..0xf0 => {
            let character = append(append(first & 0x0f, bytes)?, bytes)?;
            let surrogates = 0xd800..0xe000;
            (
                character,
                character >= 0x800 && !surrogates.contains(&character),
            )
        }
        0xf0..0xf5 => {
            let character = append(append(append(first & 0x07, bytes)?, bytes)?, bytes)?;
            (character, (0x1_0000..0x11_0000).contains(&character))
        }
        _ => return None,
    };
    valid.then_some(character)
}

/// Six more bits, of the next byte.
#[inline(always)]
fn append(bits: u32, bytes: &mut slice::Iter<'_, u8>) -> Option<u32> {
    let byte = *bytes.next()?;
    (byte & 0xc0 == 0x80).then_some(bits << 6 | u32::from(byte & 0x3f))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn characters(bytes: &[u8]) -> Option<(Vec<u32>, u32)> {
        let mut room = [const { MaybeUninit::uninit() }; LIMIT];
        decode(bytes, &mut room).map(|(characters, widest)| (characters.to_vec(), widest))
    }

    #[test]
    fn the_same_sequences_as_rust() {
        const INTERESTING: [u8; 25] = [
            0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0,
            0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
        ];
        let size = INTERESTING.len();
        for number in 0..size.pow(4) {
            let bytes =
                [1, size, size.pow(2), size.pow(3)].map(|power| INTERESTING[number / power % size]);
            for end in 0..=bytes.len() {
                let bytes = &bytes[..end];
                let expected = std::str::from_utf8(bytes).ok().map(|text| {
                    let characters: Vec<u32> = text.chars().map(u32::from).collect();
                    let wide = characters.iter().filter(|character| **character >= 0x80);
                    let widest = wide.fold(0, |widest, next| widest | next);
                    (characters, widest)
                });
                assert_eq!(characters(bytes), expected, "{bytes:x?}");
            }
        }
    }

    #[test]
    fn no_more_than_there_is_room_for() {
        let mut bytes = vec![b'a'; LIMIT];
        assert!(characters(&bytes).is_some());
        bytes.push(b'a');
        assert_eq!(characters(&bytes), None);
    }
}
