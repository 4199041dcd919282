"""What is wrong with a start: findings, each with its evidence and its remedy."""
