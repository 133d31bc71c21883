"""Activation codes: typed into a terminal, once, which then has its key."""
