"""All the SQL of settlement."""
