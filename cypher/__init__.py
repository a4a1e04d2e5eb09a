"""Every statement the program sends, one per file."""
