"""Disputes of lines of closed windows, their evidence, and what they come to."""
