"""Reads what users bring: THINGS, features, images, object lists; everything by name."""
