"""The simulated world of the demo: objects, people, images, and networks trained on them."""
