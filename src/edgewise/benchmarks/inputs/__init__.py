"""Outputs of segmentation networks, as each writes them, made into the benchmark's inputs."""
