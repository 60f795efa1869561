"""Results that are there already, and a study's way through them. No torch here."""
