"""Rules and values of settlement."""
