"""The networks that a space file describes: counted, and sorted by its budget."""
