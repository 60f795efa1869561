"""What a network takes, measured before a study: time, memory, how many share a GPU."""
