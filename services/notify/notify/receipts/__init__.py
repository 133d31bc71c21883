"""Receipts: delivery reports, called back by the provider or polled from it."""
