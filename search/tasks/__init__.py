"""Tasks: what a trial learns and how it is scored. The table: `search.schema.tasks`."""
