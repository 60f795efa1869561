"""A study under way: what runs next, what happened, and its one record."""
