"""What a trial learns and how it is scored."""
