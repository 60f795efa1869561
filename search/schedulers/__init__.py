"""Schedulers stop trials early. The table of them is `search.schema.schedulers`."""
