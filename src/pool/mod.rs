//! Pools.
use pyo3::prelude::*;
#[pyclass(subclass, module = "aiomysql._native")]
pub struct Pool {}
