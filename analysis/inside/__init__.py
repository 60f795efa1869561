"""Looks inside networks: Grad-CAM and receptive fields."""
