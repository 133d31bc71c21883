"""Providers of others, simulated."""
