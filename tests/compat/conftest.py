"""Counts of the comparison for pytest's report."""

from tests.compat.report import compat_tally, pytest_terminal_summary

__all__ = ["compat_tally", "pytest_terminal_summary"]
