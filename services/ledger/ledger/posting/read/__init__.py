"""What a batch decides on, read over the posting connection."""
