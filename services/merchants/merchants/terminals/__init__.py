"""Terminals, their activations and keys."""
