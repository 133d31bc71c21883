"""What readings work out: balances, issue cohorts, revenue."""
