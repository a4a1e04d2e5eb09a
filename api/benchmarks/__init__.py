"""What `mentorgraph bench` measures: ours beside named alternatives, in one run."""
