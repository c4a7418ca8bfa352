//! The native half of aiomysql. ARCHITECTURE.md says where each behaviour lives.

mod charset;
#[allow(dead_code, reason = "nothing runs queries yet")]
mod decode;

use pyo3::prelude::*;

#[pymodule]
mod _native {
    use super::*;

    #[pymodule_export]
    use crate::decode::Field;
    #[pymodule_export]
    use crate::decode::samples::{decode_cell, decode_rows, describe_fields};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::decode::remember_originals(module.py())
    }
}
