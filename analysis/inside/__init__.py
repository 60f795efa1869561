"""Looking inside networks: Grad-CAM and receptive fields."""
