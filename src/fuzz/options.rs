//! Options of any kind: those of connecting, and the dictionary that asks for TLS.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::values::{assert_expected, value};
use super::{Input, fuzz};
use crate::connection::Options;
use crate::local_infile::LocalInfile;
use crate::tls;

const PASSWORD: &str = "marker-of-a-password";

const TLS_KEYS: [&str; 8] = [
    "ca",
    "capath",
    "cert",
    "key",
    "check_hostname",
    "verify_mode",
    "ssl",
    "cipher",
];

const TLS_WORDS: [&str; 8] = [
    "none",
    "required",
    "OPTIONAL",
    "/dev/null",
    "/nonexistent",
    "Cargo.toml",
    "Cargo.lock",
    "",
];

/// The options of a plain connection, some of them replaced.
fn arguments<'py>(py: Python<'py>, input: &mut Input<'_>) -> Bound<'py, PyDict> {
    let options = PyDict::new(py);
    let put = |name: &str, value: Bound<'py, PyAny>| options.set_item(name, value).unwrap();
    let text = |text: &str| PyString::new(py, text).into_any();
    let none = || py.None().into_bound(py);
    let no = || false.into_pyobject(py).unwrap().to_owned().into_any();
    for (name, default) in [
        ("host", text("127.0.0.1")),
        ("port", 3306_u16.into_pyobject(py).unwrap().into_any()),
        ("unix_socket", none()),
        ("user", text("u")),
        ("password", text(PASSWORD)),
        ("db", none()),
        ("found_rows", no()),
        ("cleartext", no()),
        ("ed25519", no()),
        ("local_infile", no()),
        ("attributes", PyDict::new(py).into_any()),
        ("charset", text("utf8mb4")),
        ("settings", pyo3::types::PyList::empty(py).into_any()),
        ("autocommit", none()),
        ("connect_timeout", none()),
        ("kill_cancelled", no()),
        ("takes_several", no()),
    ] {
        put(name, default);
    }
    let names: Vec<String> = options.keys().extract().unwrap();
    for _ in 0..input.byte() % 6 {
        let name = input.pick(&names);
        match (name.as_str(), input.byte() % 4) {
            ("password", _) => {}
            (name, 0) => put(
                name,
                f64::from_bits(input.word())
                    .into_pyobject(py)
                    .unwrap()
                    .into_any(),
            ),
            (name, 1) => put(name, text(&input.text())),
            (name, _) => put(name, value(py, input, 2)),
        }
    }
    options
}

fn tls_dictionary<'py>(py: Python<'py>, input: &mut Input<'_>) -> Bound<'py, PyAny> {
    let dictionary = PyDict::new(py);
    for _ in 0..input.byte() % 5 {
        let key = *input.pick(&TLS_KEYS);
        match input.flag() {
            true => dictionary.set_item(key, *input.pick(&TLS_WORDS)).unwrap(),
            false => dictionary.set_item(key, value(py, input, 1)).unwrap(),
        }
    }
    match input.byte() % 4 {
        0 => value(py, input, 2),
        _ => dictionary.into_any(),
    }
}

/// Options are honoured, or refused by an exception that does not tell the password.
fn parse(py: Python<'_>, input: &mut Input<'_>) {
    let given = arguments(py, input);
    let ssl = tls_dictionary(py, input);
    let silent = |error: PyErr| {
        assert_expected(py, &error);
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains(PASSWORD), "{shown}");
    };
    let options: Options = match given.extract() {
        Ok(options) => options,
        Err(error) => return silent(error),
    };
    let tls = match tls::request(&ssl, &options) {
        Ok(tls) => tls,
        Err(error) => return silent(error.into()),
    };
    let opts = options.to_opts(tls.as_ref(), &LocalInfile::new(options.local_infile));
    assert_eq!(opts.pass(), Some(PASSWORD));
    assert_eq!(opts.ssl_opts().is_some(), tls.is_some());
    if let Some(tls) = &tls {
        let checked = !opts
            .ssl_opts()
            .is_some_and(|ssl| ssl.accept_invalid_certs());
        assert!(checked || !tls.proves_the_server());
    }
    assert!(
        options
            .timeout()
            .is_none_or(|limit| limit.as_secs_f64() >= 0.0)
    );
}

#[test]
fn fuzz_options() {
    Python::initialize();
    // Else every input would be refused for the same reason.
    Python::attach(|py| {
        arguments(py, &mut Input::new(&[]))
            .extract::<Options>()
            .map(drop)
    })
    .unwrap();
    fuzz("options", parse);
}
