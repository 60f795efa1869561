"""Fits scaling laws, exchange rates and a compound rule; refuses what data cannot support."""
