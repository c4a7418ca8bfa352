//! Lets the sources tell CPython versions apart (`cfg(Py_3_13)` and its kin).

fn main() {
    pyo3_build_config::use_pyo3_cfgs();
}
