"""Tasks: what a trial learns and how it is scored. Their table: `search.schema.tasks`."""
