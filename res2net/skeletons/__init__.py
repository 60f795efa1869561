"""How blocks are stacked into a network."""
