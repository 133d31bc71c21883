"""All the SQL, one module a noun."""
