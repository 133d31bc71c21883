"""Passwords: what is good enough, and whose is kept."""
