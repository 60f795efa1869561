"""Schedulers stop trials early. Their table is `search.schema.schedulers`."""
