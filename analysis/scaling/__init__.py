"""Fits scaling laws, exchange rates and a compound rule; refuses what the data do not carry."""
