//! Native unless overridden: whether a class has replaced a method that the fast paths skip.
//!
//! The fast path of a command does in one step what the public methods do by calling each other
//! (`execute` → `_query` → `Connection.query` → …). It may be taken only while all of these are
//! ours. An assignment on an instance is noticed when it is made ([`set_attribute`]), and from then
//! on the instance takes no fast path. Each class's own dictionary is compared with what it held when the module was imported,
//! so an assignment on a class counts as much as a subclass. The verdict is kept with the type's
//! version tag, which CPython changes whenever the type or one of its bases changes.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

use crate::runtime::lock;

/// What a class of cursors or connections is, as far as fast paths care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traits {
    /// No hook of a single statement is overridden.
    pub plain: bool,
    /// Nor one that runs the statements of a bulk insert.
    pub plain_in_bulk: bool,
    /// No hook of the step to the next row is overridden.
    pub plain_in_fetch: bool,
    pub dicts: bool,
    pub json: bool,
    pub streamed: bool,
}

/// The verdict on an object's class, kept beside the object.
#[derive(Default)]
pub struct Judged(Option<(u32, Traits)>);

impl Judged {
    /// The verdict on the class of `object`, which is the object that this is kept in.
    pub fn traits_of(&mut self, object: &Bound<'_, PyAny>) -> PyResult<Traits> {
        let tag = version_tag(&object.get_type());
        match (tag, self.0) {
            (Some(tag), Some((known, traits))) if tag == known => Ok(traits),
            _ => {
                let traits = traits_of(object)?;
                self.0 = version_tag(&object.get_type()).map(|tag| (tag, traits));
                Ok(traits)
            }
        }
    }
}

/// A class that has its say about hooks or traits, as it was when the module was imported.
struct Known {
    hooks: Vec<Hook>,
    role: Role,
}

struct Hook {
    name: Py<PyString>,
    /// What the class itself has under this name.
    value: Option<Py<PyAny>>,
    part: Part,
}

/// Which fast paths a hook matters to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// All of them.
    Statement,
    Bulk,
    Fetch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Plain,
    Dicts,
    Json,
    Streamed,
}

/// Known classes by address; they live as long as the module.
static KNOWN: LazyLock<Mutex<HashMap<usize, Known>>> = LazyLock::new(Mutex::default);

/// Verdicts by the type's address, valid for the version tag beside them.
static VERDICTS: LazyLock<Mutex<HashMap<usize, (u32, Traits)>>> = LazyLock::new(Mutex::default);

/// The addresses of all hooks' names; the strings are interned and live as long as the module.
static NAMES: LazyLock<Mutex<Vec<usize>>> = LazyLock::new(Mutex::default);

/// Sets or deletes (`None`) an attribute of an instance; whether its name is a hook's.
pub fn set_attribute(
    object: &Bound<'_, PyAny>,
    name: &Bound<'_, PyString>,
    value: Option<&Bound<'_, PyAny>>,
) -> PyResult<bool> {
    let value = value.map_or(std::ptr::null_mut(), Bound::as_ptr);
    // SAFETY: live objects; this is what `object.__setattr__` does, where null means to delete.
    let status = unsafe { ffi::PyObject_GenericSetAttr(object.as_ptr(), name.as_ptr(), value) };
    if status < 0 {
        return Err(PyErr::fetch(object.py()));
    }
    // Python interns the names of attributes before it sets them.
    Ok(lock(&NAMES).contains(&(name.as_ptr() as usize)))
}

/// Remembers the hooks of a class of the package as its own. `role` is what the class adds:
/// `"plain"`, `"dicts"`, `"json"` or `"streamed"`; `bulk_hooks` matter to bulk inserts alone, and
/// `fetch_hooks` to the step of `async for`.
#[pyfunction]
#[pyo3(signature = (class, role, hooks, bulk_hooks=Vec::new(), fetch_hooks=Vec::new()))]
pub fn remember_hooks(
    class: &Bound<'_, PyType>,
    role: &str,
    hooks: Vec<Bound<'_, PyString>>,
    bulk_hooks: Vec<Bound<'_, PyString>>,
    fetch_hooks: Vec<Bound<'_, PyString>>,
) -> PyResult<()> {
    let role = match role {
        "plain" => Role::Plain,
        "dicts" => Role::Dicts,
        "json" => Role::Json,
        "streamed" => Role::Streamed,
        other => {
            return Err(pyo3::exceptions::PyValueError::new_err(format!(
                "unknown role {other:?}"
            )));
        }
    };
    let hooks = hooks
        .into_iter()
        .map(|name| (name, Part::Statement))
        .chain(bulk_hooks.into_iter().map(|name| (name, Part::Bulk)))
        .chain(fetch_hooks.into_iter().map(|name| (name, Part::Fetch)))
        .map(|(name, part)| {
            let name = PyString::intern(name.py(), name.to_str()?);
            let value = own_attribute(class, &name)?.map(Bound::unbind);
            lock(&NAMES).push(name.as_ptr() as usize);
            Ok(Hook {
                name: name.unbind(),
                value,
                part,
            })
        })
        .collect::<PyResult<_>>()?;
    let mut names = lock(&NAMES);
    names.sort_unstable();
    names.dedup();
    drop(names);
    lock(&KNOWN).insert(class.as_ptr() as usize, Known { hooks, role });
    Ok(())
}

/// The verdict on an object's class.
fn traits_of(object: &Bound<'_, PyAny>) -> PyResult<Traits> {
    let class = object.get_type();
    let address = class.as_ptr() as usize;
    let tag = version_tag(&class);
    if let Some(tag) = tag
        && let Some((_, traits)) = lock(&VERDICTS)
            .get(&address)
            .filter(|(known, _)| *known == tag)
    {
        return Ok(*traits);
    }
    let traits = judge(&class)?;
    if let Some(tag) = version_tag(&class) {
        lock(&VERDICTS).insert(address, (tag, traits));
    }
    Ok(traits)
}

fn judge(class: &Bound<'_, PyType>) -> PyResult<Traits> {
    let py = class.py();
    let mut traits = Traits {
        plain: true,
        plain_in_bulk: true,
        plain_in_fetch: true,
        dicts: false,
        json: false,
        streamed: false,
    };
    let known = lock(&KNOWN);
    for base in class.mro().iter() {
        let base = base.cast_into::<PyType>()?;
        match known.get(&(base.as_ptr() as usize)) {
            Some(ours) => {
                match ours.role {
                    Role::Plain => {}
                    Role::Dicts => traits.dicts = true,
                    Role::Json => traits.json = true,
                    Role::Streamed => traits.streamed = true,
                }
                for hook in &ours.hooks {
                    let current = own_attribute(&base, hook.name.bind(py))?;
                    let same = match (&current, &hook.value) {
                        (Some(current), Some(value)) => current.is(value),
                        (None, None) => true,
                        _ => false,
                    };
                    traits.count(hook, same);
                }
            }
            // Built-in bases (object, our native ones) hold no hooks that could be replaced.
            None if is_static(&base) => {}
            None => {
                // Every name that is a hook anywhere is one for every class of the hierarchy.
                for hook in known.values().flat_map(|known| &known.hooks) {
                    let absent = own_attribute(&base, hook.name.bind(py))?.is_none();
                    traits.count(hook, absent);
                }
            }
        }
    }
    Ok(traits)
}

impl Traits {
    fn count(&mut self, hook: &Hook, untouched: bool) {
        if untouched {
            return;
        }
        match hook.part {
            Part::Statement => {
                self.plain = false;
                self.plain_in_bulk = false;
            }
            Part::Bulk => self.plain_in_bulk = false,
            Part::Fetch => self.plain_in_fetch = false,
        }
    }
}

/// What the class itself, not a base of it, has under this name.
fn own_attribute<'py>(
    class: &Bound<'py, PyType>,
    name: &Bound<'py, PyString>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let namespace = class.getattr(pyo3::intern!(class.py(), "__dict__"))?;
    if namespace.contains(name)? {
        namespace.get_item(name).map(Some)
    } else {
        Ok(None)
    }
}

/// Whether the class's attributes cannot be assigned from Python.
fn is_static(class: &Bound<'_, PyType>) -> bool {
    // SAFETY: reads the flags of a live type.
    let flags = unsafe { ffi::PyType_GetFlags(class.as_type_ptr()) };
    flags & ffi::Py_TPFLAGS_HEAPTYPE == 0
        || class
            .getattr("__module__")
            .is_ok_and(|module| module.eq("aiomysql._native").unwrap_or(false))
}

/// The type's version; None where CPython has not given it one.
fn version_tag(class: &Bound<'_, PyType>) -> Option<u32> {
    let pointer = class.as_type_ptr();
    // SAFETY: reads two fields of a live type, under the GIL.
    let (tag, flags) = unsafe { ((*pointer).tp_version_tag, ffi::PyType_GetFlags(pointer)) };
    // Up to 3.12 the tag counts only while this flag is set; later the tag itself is zero.
    const VALID_VERSION_TAG: std::ffi::c_ulong = 1 << 19;
    let valid = cfg!(Py_3_13) || flags & VALID_VERSION_TAG != 0;
    (valid && tag != 0).then_some(tag)
}
