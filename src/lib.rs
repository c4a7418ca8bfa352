//! The native half of aiomysql. ARCHITECTURE.md says where each behaviour lives.

mod charset;
mod encode;

use pyo3::prelude::*;

#[pymodule]
mod _native {
    use super::*;

    #[pymodule_export]
    use crate::encode::python::{
        bulk_insert_parts, bulk_insert_statements, escape_value, interpolate,
    };

    #[pymodule_init]
    fn init(_module: &Bound<'_, PyModule>) -> PyResult<()> {
        Ok(())
    }
}
