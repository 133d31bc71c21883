"""The upper floor: one poll, one transaction; what is said leaves with its commit."""
