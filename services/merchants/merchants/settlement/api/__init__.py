"""HTTP doors of settlement."""
