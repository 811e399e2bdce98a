"""Are the regions of concepts convex? Graph convexity and Euclidean convexity."""
