//! What `connect()` was asked for, in mysql_async's terms.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use mysql_async::{Opts, OptsBuilder};
use pyo3::prelude::*;

use crate::local_infile::LocalInfile;
use crate::tls::Tls;

/// After this much silence the kernel asks whether the peer is still there.
pub const KEEPALIVE: Duration = Duration::from_secs(60);

/// The protocol's own limit, so that mysql_async asks the server for no other; the server still
/// refuses what is above its `max_allowed_packet`.
const MAX_ALLOWED_PACKET: usize = 1 << 30;

/// The arguments of the native part of connecting, by the names of `aiomysql.connect()`.
#[derive(Clone, FromPyObject)]
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
    /// A command may hold several statements.
    pub takes_several: bool,
    /// Whether the password may be sent as it is, where the server asks for that. A server that
    /// TLS has proved to be the wanted one may always ask.
    pub cleartext: bool,
    /// The account is said to be of MariaDB's plugin ed25519.
    pub ed25519: bool,
    pub local_infile: bool,
    pub attributes: HashMap<String, String>,
    /// The session's character set, by the server's name.
    pub charset: String,
    /// Statements that bring the session to our other settings.
    pub settings: Vec<String>,
    /// None: as the server has it.
    pub autocommit: Option<bool>,
    /// Seconds for everything until the session is ready; None: no limit.
    pub connect_timeout: Option<f64>,
    /// A command that is cancelled is also ended at the server.
    pub kill_cancelled: bool,
}

impl Options {
    pub fn to_opts(&self, tls: Option<&Tls>, infile: &Arc<LocalInfile>) -> Opts {
        OptsBuilder::default()
            .ip_or_hostname(self.host.clone())
            .tcp_port(self.port)
            .socket(self.unix_socket.clone())
            .user(Some(self.user.clone()))
            .pass(Some(self.password.clone()))
            .db_name(self.db.clone())
            .client_found_rows(self.found_rows)
            .enable_cleartext_plugin(self.cleartext || tls.is_some_and(Tls::proves_the_server))
            .connect_attributes(self.attributes.clone())
            .tcp_keepalive(Some(KEEPALIVE))
            .tcp_nodelay(true)
            .ssl_opts(tls.map(Tls::to_opts))
            .local_infile_handler(Some(infile.handler()))
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
        // Not every number is a duration: what is less than nothing is nothing, and what is more
        // than can be counted is no limit.
        self.connect_timeout
            .and_then(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).ok())
    }
}
