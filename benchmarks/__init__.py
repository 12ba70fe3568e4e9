"""Measurements and the long kill test; `make bench` and `python -m benchmarks.kill` run them."""
