"""Leaves and proofs, read from the log."""
