//! Sessions without MULTI_STATEMENTS: a command holds one statement.
//!
//! mysql_async always announces the flag, and our own settings go by it. Where it was cleared, the
//! server's own parser is asked first, by preparing the statement: it prepares one statement alone.
//! <https://dev.mysql.com/doc/refman/8.4/en/prepare.html>

use mysql_async::Conn;
use mysql_async::prelude::Queryable;

use crate::errors::Result;

/// Fails as the server does where `sql` is more than one statement.
///
/// Whatever else is wrong with it also fails here: an error while it is parsed leaves open what
/// comes after a semicolon.
pub async fn refuse_several(conn: &mut Conn, sql: &[u8]) -> Result<()> {
    if !may_be_several(sql) {
        return Ok(());
    }
    let prepared = conn.prep(sql).await?;
    Ok(conn.close(prepared).await?)
}

/// Whether anything but space follows a semicolon. No character set that a client may use has the
/// semicolon's byte within a character.
fn may_be_several(sql: &[u8]) -> bool {
    memchr::memchr(b';', sql).is_some_and(|at| !sql[at + 1..].trim_ascii().is_empty())
}

#[cfg(test)]
mod tests {
    use super::may_be_several;

    #[test]
    fn a_semicolon_in_the_midst() {
        for sql in ["SELECT 1; SELECT 2", ";;", "SELECT ';'", "SELECT 1;\0"] {
            assert!(may_be_several(sql.as_bytes()), "{sql}");
        }
        for sql in ["", "SELECT 1", "SELECT 1;", "SELECT 1; \r\n\t"] {
            assert!(!may_be_several(sql.as_bytes()), "{sql}");
        }
    }
}
