"""Generated communities with a known truth, for demonstrations, tests and benchmarks."""
