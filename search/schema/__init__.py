"""The space file: sections, values, places and messages. No torch here."""
