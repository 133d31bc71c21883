"""Proposals: writes that one person proposes and another approves (decision 0044)."""
