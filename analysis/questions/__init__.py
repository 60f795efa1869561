"""One file for each question that a run can answer."""
