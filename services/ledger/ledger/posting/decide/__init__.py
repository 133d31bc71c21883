"""Decisions: state and command to effects, without database, clock or network."""
