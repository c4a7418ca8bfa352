use super::*;

fn parts(query: &str) -> Option<(String, String, String)> {
    BulkInsert::parse(query).map(|insert| (insert.prefix, insert.values, insert.postfix))
}

#[track_caller]
fn batched(query: &str, prefix: &str, values: &str, postfix: &str) {
    let expected = (prefix.to_owned(), values.to_owned(), postfix.to_owned());
    assert_eq!(parts(query), Some(expected), "{query}");
}

#[test]
fn the_plain_forms() {
    batched(
        "INSERT INTO t VALUES (%s)",
        "INSERT INTO t VALUES ",
        "(%s)",
        "",
    );
    batched("insert t(a) values(%s)", "insert t(a) values", "(%s)", "");
    batched(
        "REPLACE INTO t (a, b) VALUE (%s,%s);",
        "REPLACE INTO t (a, b) VALUE ",
        "(%s,%s)",
        "",
    );
    batched(
        "\n INSERT INTO `d`.`t` (a)\nVALUES\n(%(a)s)\n;\n",
        "INSERT INTO `d`.`t` (a)\nVALUES\n",
        "(%(a)s)",
        "",
    );
}

#[test]
fn rows_with_functions_constants_and_percents() {
    for row in [
        "(upper(%s), now(), 'a)b', -1.5, NULL)",
        "(%s, DEFAULT(a), concat('x', lower(%s)))",
        "(%s, date_format(now(), '%%Y'))",
        "(%s, 5 %% 3)",
        "(%s, /* it's ) a */ %s -- )\n)",
        "(%s, \"a's\", 'select')",
        "(  %s  )",
    ] {
        batched(
            &format!("INSERT INTO t VALUES {row}"),
            "INSERT INTO t VALUES ",
            row,
            "",
        );
    }
}

#[test]
fn modifiers_partitions_comments_and_quoted_names() {
    for prefix in [
        "INSERT LOW_PRIORITY IGNORE INTO t VALUES ",
        "INSERT DELAYED t VALUES ",
        "REPLACE LOW_PRIORITY t VALUES ",
        "INSERT INTO t PARTITION (p0, p1) (a) VALUES ",
        "INSERT INTO `values` (`values`) VALUES ",
        "INSERT INTO value (value) VALUE ",
        "INSERT INTO \"a t\" VALUES ",
        "INSERT INTO t /* values (%%) */ VALUES ",
        "INSERT INTO t -- values (1)\n VALUES ",
        "INSERT INTO t # values (1)\n VALUES ",
        "/* app=x */ INSERT INTO t VALUES ",
        "INSERT INTO d . t (a, `b(`) VALUES /* row */ ",
        "INSERT INTO tàble () VALUES ",
    ] {
        let sent = prefix.replace("%%", "%");
        batched(&format!("{prefix}(%s)"), &sent, "(%s)", "");
    }
}

#[test]
fn what_may_follow_the_row() {
    for (written, sent) in [
        (
            " ON DUPLICATE KEY UPDATE a = VALUES(a)",
            " ON DUPLICATE KEY UPDATE a = VALUES(a)",
        ),
        (
            " AS new ON DUPLICATE KEY UPDATE a = new.a;",
            " AS new ON DUPLICATE KEY UPDATE a = new.a",
        ),
        (
            " AS new(x, y) ON DUPLICATE KEY UPDATE a = x",
            " AS new(x, y) ON DUPLICATE KEY UPDATE a = x",
        ),
        (
            " on duplicate key update a = '100%%'",
            " on duplicate key update a = '100%'",
        ),
        (
            " ON DUPLICATE KEY UPDATE a = a % 2",
            " ON DUPLICATE KEY UPDATE a = a % 2",
        ),
        (
            " ON DUPLICATE KEY UPDATE a = LAST_INSERT_ID(a), b = ';' -- end;",
            " ON DUPLICATE KEY UPDATE a = LAST_INSERT_ID(a), b = ';' -- end;",
        ),
        (
            " ON DUPLICATE KEY UPDATE a = date_format(now(), '%Y %H:%i:%s')",
            " ON DUPLICATE KEY UPDATE a = date_format(now(), '%Y %H:%i:%s')",
        ),
        ("; -- done", ""),
        (" ;; ", "refused"),
    ] {
        let query = format!("INSERT INTO t VALUES (%s){written}");
        if sent == "refused" {
            assert_eq!(parts(&query), None, "{query}");
        } else {
            batched(&query, "INSERT INTO t VALUES ", "(%s)", sent);
        }
    }
}

#[test]
fn what_must_go_row_by_row() {
    for query in [
        "",
        "SELECT %s",
        "UPDATE t SET a = %s",
        "INSERT INTO t VALUES (1)",
        "INSERT INTO t VALUES ()",
        "INSERT INTO t SET a = %s",
        "INSERT INTO t SET a = 'x' VALUES (%s)",
        "INSERT INTO t SELECT %s",
        "INSERT INTO t (a) SELECT a FROM u WHERE b IN (%s)",
        "INSERT INTO t (a) (SELECT %s)",
        "INSERT INTO t SELECT * FROM (VALUES (%s)) v",
        "INSERT INTO t VALUES (%s), (%s)",
        "INSERT INTO t VALUES (%s) (%s)",
        "INSERT INTO t VALUES ROW(%s)",
        "INSERT INTO t VALUES (%s) RETURNING id",
        "INSERT INTO t VALUES (%s) ON DUPLICATE KEY UPDATE a = 1 RETURNING id",
        "INSERT INTO t VALUES (%s) ON DUPLICATE KEY UPDATE a = %s",
        "INSERT INTO t VALUES (%(a)s) ON DUPLICATE KEY UPDATE a = %(a)s",
        "INSERT INTO t VALUES (%s) ON DUPLICATE KEY UPDATE a = '%s'",
        "INSERT INTO t VALUES (%s) /* %s */",
        "INSERT INTO t VALUES ((SELECT max(a) FROM u), %s)",
        "INSERT INTO t VALUES ((WITH c AS (select 1) TABLE c), %s)",
        "INSERT INTO t VALUES (%s, last_insert_id())",
        "INSERT INTO t VALUES (%s, @@identity)",
        "INSERT INTO t VALUES (%s, @a)",
        "INSERT INTO t VALUES ('%s')",
        "INSERT INTO t VALUES (%s, '%s')",
        "INSERT INTO t VALUES (%s, /* %s */ 1)",
        "INSERT INTO t VALUES (%s, %d)",
        "INSERT INTO t VALUES (%s, 5 % 3)",
        "INSERT INTO t VALUES (%s, '%(' , %s)s)",
        "INSERT INTO t VALUES (%s; DROP TABLE t)",
        "INSERT INTO t VALUES (%s); DELETE FROM t",
        "INSERT INTO t VALUES (%s",
        "INSERT INTO t VALUES %s",
        "INSERT INTO `%s` VALUES (%s)",
        "INSERT INTO t (%s) VALUES (%s)",
        "INSERT INTO `100%` VALUES (%s)",
        "INSERT INTO t /*! (a) */ VALUES (%s)",
        "INSERT INTO t VALUES ('a\\', %s, '')",
        "INSERT INTO t (a) -- VALUES (%s)",
        "INSERT INTO t 'values (%s)'",
        "INSERT INTO values (%s)",
        "INSERT INTO t) VALUES (%s)",
        "(INSERT INTO t VALUES (%s))",
        "WITH c AS (SELECT 1) INSERT INTO t VALUES (%s)",
        "EXPLAIN INSERT INTO t VALUES (%s)",
        "CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW INSERT INTO u VALUES (%s)",
    ] {
        assert_eq!(parts(query), None, "{query}");
    }
}
