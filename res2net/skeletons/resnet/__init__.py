"""The ResNet skeletons: three stages for CIFAR, four for ImageNet, v1 and v1b."""
