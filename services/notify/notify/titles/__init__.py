"""Titles of merchants, which texts name."""
