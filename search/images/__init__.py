"""Which images a study trains on, where they are kept, and how batches are made of them."""
