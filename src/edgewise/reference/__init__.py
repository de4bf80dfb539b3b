"""The reference refiner: CascadePSP as published, behind edgewise's interfaces.

Cheng, Chung, Tai and Tang, "CascadePSP: Toward Class-Agnostic and Very High-Resolution
Segmentation via Global and Local Refinement", CVPR 2020.

It takes the extra `edgewise[reference]`, PyTorch, and a checkpoint, which the user downloads; see
docs/reference.md. Nothing else in the package needs it.
"""
