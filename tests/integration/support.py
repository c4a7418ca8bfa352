"""Statements that both servers understand alike."""

from __future__ import annotations


def numbers(count: int) -> str:
    """Rows 1…count, of one column `i`; at most 1,000,000. A `WHERE` may follow."""
    # Both servers limit the recursion, so large counts are products.
    width = 1000 if count > 1000 else max(count, 1)
    height = -(-count // width)
    return (
        f"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {width}), "
        f"m (j) AS (SELECT 0 UNION ALL SELECT j + 1 FROM m WHERE j < {height - 1}) "
        f"SELECT i FROM (SELECT m.j * {width} + n.i AS i FROM n, m "
        f"ORDER BY i LIMIT {count}) AS numbers"
    )


def failing_rows(before: int) -> str:
    """A statement that sends `before` rows, then fails with 1242 (a sub-select of two rows)."""
    return (
        f"SELECT i, IF(i <= {before}, 0, (SELECT 1 FROM (SELECT 1 UNION SELECT 2) AS two "
        f"WHERE i > 0)) FROM ({numbers(before + 10)}) AS rows_before"
    )
