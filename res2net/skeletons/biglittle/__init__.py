"""Big-Little Net (Chen et al., ICLR 2019): two branches of two resolutions in a stage.

The big branch works at half the side with most of the blocks; the little one at the full side
with few and slim blocks.
"""
