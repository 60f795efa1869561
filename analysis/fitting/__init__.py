"""Fits of scaling laws: the forms, how they are fitted, judged, resampled and put to use."""
