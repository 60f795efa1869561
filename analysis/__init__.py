"""Analyses finished and unfinished runs: tables, statistics, plots and reports."""
