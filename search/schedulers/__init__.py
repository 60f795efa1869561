"""Early stopping: which trials go on and which end before their last epoch."""
