"""What each terminal and merchant sold and took on a day, over all shards."""
