"""HTTP doors of disputes."""
