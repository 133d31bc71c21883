"""Daily totals."""
