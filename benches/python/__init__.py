"""End to end, side by side: `make bench`."""
