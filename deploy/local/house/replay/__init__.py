"""A purchase history from a file, brought into a house over the road, and what came of it."""
