"""Reads runs into tables: their trials, epochs and networks."""
