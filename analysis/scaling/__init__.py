"""Scaling laws, exchange rates and a compound rule, with what the data do not carry refused."""
