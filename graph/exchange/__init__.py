"""Facts in and out: bundles, spreadsheets, taxonomies and events, and a check of the whole graph."""
