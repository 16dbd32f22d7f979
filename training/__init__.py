"""What makes slic's weights: data, loops, configurations, the ledger of experiments."""
