"""Trackers: what a study reports to TensorBoard, MLflow and Weights & Biases, one file each."""
