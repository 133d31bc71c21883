"""The lower floor: what every process needs, and nothing of Kafka."""
