"""Deep layer aggregation (Yu et al., CVPR 2018): each stage is a tree of blocks."""
