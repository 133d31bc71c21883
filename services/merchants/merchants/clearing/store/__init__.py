"""All the SQL of clearing."""
