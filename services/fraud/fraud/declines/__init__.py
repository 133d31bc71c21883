"""Transactions that fraud let through and the network declined: windows and days drop them."""
