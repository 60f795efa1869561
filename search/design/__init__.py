"""Designs studies: which comparisons are planned, and how small a difference they can show."""
