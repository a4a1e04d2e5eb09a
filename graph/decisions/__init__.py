"""The decision log: what was answered, on which facts, by which versions; kept so that it can be shown and checked."""
