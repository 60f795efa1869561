"""The images that a study trains on: finding and storing them, and making batches of them."""
