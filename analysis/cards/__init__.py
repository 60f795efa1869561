"""Answers one question a card: a table, a sentence and a plot, or why there is none."""
