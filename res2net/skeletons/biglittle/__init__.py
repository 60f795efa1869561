"""Big-Little Net (Chen et al., ICLR 2019): two branches at two resolutions per stage.

The big branch has most of the blocks and works at half the side; the little branch has few,
narrow blocks and works at the full side.
"""
