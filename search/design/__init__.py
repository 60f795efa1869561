"""Designs studies: which comparisons are planned, how small a difference they can see."""
