"""What the trials say: tables, plots, reports, read from journals."""
