"""Draws figures, one file for each, in one style."""
