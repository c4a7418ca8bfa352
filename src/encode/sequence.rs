//! Lists, tuples and sets as `(a,b,c)`, for IN.

use pyo3::exceptions::PyRecursionError;
use pyo3::prelude::*;

use super::text::Writer;

/// Sequences within sequences, at most: a list that holds itself ends here. Python's own recursion
/// limit stopped upstream at about the same depth.
const MAX_DEPTH: usize = 400;

impl<'py> Writer<'_, 'py> {
    pub(super) fn sequence(&mut self, value: &Bound<'py, PyAny>, depth: usize) -> PyResult<()> {
        if depth == MAX_DEPTH {
            return Err(PyRecursionError::new_err(
                "a parameter holds sequences nested too deep, or holds itself",
            ));
        }
        self.out.push(b'(');
        let mut separate = false;
        for item in value.try_iter()? {
            if separate {
                self.out.push(b',');
            }
            separate = true;
            self.item(&item?, depth + 1)?;
        }
        self.out.push(b')');
        Ok(())
    }
}
