"""Which networks a space file names, counted, inside its budget or rejected."""
