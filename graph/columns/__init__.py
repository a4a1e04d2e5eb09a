"""The graph as scoring needs it: tables of numbers in memory, kept fresh, and what is asked of them."""
