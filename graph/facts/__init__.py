"""What facts are and what they mean, apart from where they are kept."""
