"""Recorded results, and replays of studies with them. No torch here."""
