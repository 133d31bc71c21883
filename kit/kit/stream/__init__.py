"""One poll, one transaction; what a transaction sends leaves with its commit."""
