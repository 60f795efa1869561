"""The training engine: trials, training loop, optimisers, execution modes, measurements."""
