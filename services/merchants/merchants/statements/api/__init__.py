"""HTTP doors of statements and of the reconciliation report."""
