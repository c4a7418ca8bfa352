//! The keys of rows that are dictionaries.

use mysql_async::Column;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::charset::Codec;

/// Made once for each result set: interned names, and a dictionary that has them all.
pub struct DictKeys {
    names: Vec<Py<PyString>>,
    template: Py<PyDict>,
}

impl DictKeys {
    /// A name that an earlier column has already becomes `table.name`.
    pub fn new(py: Python<'_>, columns: &[Column], codec: &Codec) -> PyResult<Self> {
        let mut names = Vec::with_capacity(columns.len());
        let template = PyDict::new(py);
        for column in columns {
            let mut name = codec.decode_escaped(py, column.name_ref())?;
            if template.contains(&name)? {
                let qualified = [column.table_ref(), column.name_ref()].join(&b'.');
                name = codec.decode_escaped(py, &qualified)?;
            }
            let name = intern(name);
            template.set_item(&name, py.None())?;
            names.push(name.unbind());
        }
        Ok(Self {
            names,
            template: template.unbind(),
        })
    }

    pub fn names(&self) -> &[Py<PyString>] {
        &self.names
    }

    /// A dictionary with every key, in the order of the columns. To copy one of the right size is
    /// a tenth cheaper for a row than to let an empty one grow.
    pub fn new_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.template.bind(py).copy()
    }
}

fn intern(name: Bound<'_, PyString>) -> Bound<'_, PyString> {
    let py = name.py();
    let mut pointer = name.into_ptr();
    // SAFETY: `pointer` is a str that we own; the call leaves us a reference to it or to its
    // interned equal.
    unsafe {
        pyo3::ffi::PyUnicode_InternInPlace(&mut pointer);
        Bound::from_owned_ptr(py, pointer).cast_into_unchecked()
    }
}
