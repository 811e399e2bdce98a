"""The simulated world of the demo: objects, people, images, networks that learn."""
