"""Draws figures in a common style, one module per figure."""
