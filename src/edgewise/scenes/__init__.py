"""Scenes: many objects of one photo, as instances or as a map of labels."""
