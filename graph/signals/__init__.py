"""The named signals of a ranking, each with the evidence behind its values."""
