"""Answers one question per card with a table, a sentence and a plot, or says why not."""
