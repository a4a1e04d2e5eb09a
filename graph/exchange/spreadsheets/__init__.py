"""Spreadsheets of any layout: what their columns mean, who their rows are about, and which facts that states."""
