"""Writes the report: contents and layout of its pages, and exports to other formats."""
