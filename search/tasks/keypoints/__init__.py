"""The points of each object, found in a window around its true box (SimpleBaseline)."""
