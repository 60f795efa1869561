"""One file for each figure, in one style."""
