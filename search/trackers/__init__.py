"""Trackers: what a study tells TensorBoard, MLflow and Weights & Biases, one file each."""
