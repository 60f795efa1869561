"""A run as tables: its trials, epochs and networks."""
