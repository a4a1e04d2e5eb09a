"""Why this mentor, why not that one, what would change it, whether that is true, and what people decide."""
