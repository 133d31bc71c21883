"""A purchase history from a file, brought into a platform over the road, and what came of it."""
