"""Writes the report: what stands on its pages, how that is laid out, and other forms of it."""
