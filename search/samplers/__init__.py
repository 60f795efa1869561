"""Samplers: which candidate to try next. The table of them is `search.schema.samplers`."""
