"""The pages of the report: what stands on them, how it is laid out, and other forms of it."""
