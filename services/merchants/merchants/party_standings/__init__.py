"""Party standings."""
