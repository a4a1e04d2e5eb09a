"""Ranked mentors: scores that add up, lists shaped as they were asked for, each with its paths of evidence."""
