"""The page of the invented payment provider; in a demo only."""
