"""Annotated images, and the layouts in which they are published."""
