"""Clearing: settlement windows, and what parties owe one another in each."""
