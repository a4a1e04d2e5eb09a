"""The learned part: what is measured, trained and published for the ranking."""
