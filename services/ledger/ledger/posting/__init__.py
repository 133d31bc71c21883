"""Posting: commands read, decided, written; each once, in order."""
