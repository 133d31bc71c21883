"""Daily totals: sales, refunds and points of a merchant on a day of Tehran."""
