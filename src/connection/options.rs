//! What `connect()` was asked for, in mysql_async's terms.

use std::collections::HashMap;
use std::time::Duration;

use mysql_async::{Opts, OptsBuilder, SslOpts};
use pyo3::prelude::*;

/// After this much silence the kernel asks whether the peer is still there.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// The protocol's own limit, so that mysql_async asks the server for no other; the server still
/// refuses what is above its `max_allowed_packet`.
const MAX_ALLOWED_PACKET: usize = 1 << 30;

/// The arguments of the native part of connecting, by the names of `aiomysql.connect()`.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Options {
    pub host: String,
    pub port: u16,
    pub unix_socket: Option<String>,
    pub user: String,
    pub password: String,
    pub db: Option<String>,
    /// Rows found, rather than rows changed, count as affected.
    pub found_rows: bool,
    /// Whether the password may be sent as it is, where the server asks for that.
    pub cleartext: bool,
    pub attributes: HashMap<String, String>,
    /// Statements that bring the session to our settings, without those that the handshake has
    /// brought about.
    pub settings: Vec<String>,
    /// None: as the server has it.
    pub autocommit: Option<bool>,
    /// Seconds for everything until the session is ready; None: no limit.
    pub connect_timeout: Option<f64>,
}

impl Options {
    pub fn to_opts(&self, tls: Option<SslOpts>) -> Opts {
        OptsBuilder::default()
            .ip_or_hostname(self.host.clone())
            .tcp_port(self.port)
            .socket(self.unix_socket.clone())
            .user(Some(self.user.clone()))
            .pass(Some(self.password.clone()))
            .db_name(self.db.clone())
            .client_found_rows(self.found_rows)
            .enable_cleartext_plugin(self.cleartext)
            .connect_attributes(self.attributes.clone())
            .tcp_keepalive(Some(KEEPALIVE))
            .tcp_nodelay(true)
            .ssl_opts(tls)
            // Without these three it would ask the server, in a query of its own, and perhaps
            // connect once more over the unix socket.
            .prefer_socket(false)
            .max_allowed_packet(Some(MAX_ALLOWED_PACKET))
            .wait_timeout(Some(0))
            // Never used: statements are sent as text.
            .stmt_cache_size(0)
            .into()
    }

    pub fn timeout(&self) -> Option<Duration> {
        self.connect_timeout
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
    }
}
