"""Detection and instance segmentation: torchvision's Faster and Mask R-CNN on our features."""
