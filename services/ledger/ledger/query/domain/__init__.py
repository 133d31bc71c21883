"""Computations of readings: balances, issue cohorts, revenue."""
