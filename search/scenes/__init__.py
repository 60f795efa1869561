"""Annotated images: scenes with boxes, masks, classes by pixel, saliency and keypoints."""
