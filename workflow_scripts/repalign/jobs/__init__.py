"""The frame of every script, and what a group of jobs has finished."""
