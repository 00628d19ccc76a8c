"""What several test files use: how they compare, what they trace, and the pages that they open."""
