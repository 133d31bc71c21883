"""Sending: queued messages are handed to the provider, each once."""
