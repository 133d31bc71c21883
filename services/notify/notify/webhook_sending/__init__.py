"""Webhooks on their way: each endpoint is served by itself, so that none waits for another."""
