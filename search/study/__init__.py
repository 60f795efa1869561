"""A running study: what runs next, what has happened, and the journal that records it."""
