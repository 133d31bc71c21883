"""What every service stands on: it knows neither Kafka nor a noun of the business."""
