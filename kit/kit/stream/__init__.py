"""The upper floor: one poll, one transaction; its messages leave with the commit."""
