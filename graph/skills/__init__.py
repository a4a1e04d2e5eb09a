"""The taxonomy of skills: how they hang together, what they are called, and who decides about both."""
