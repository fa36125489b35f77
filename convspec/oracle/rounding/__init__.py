"""How far a correct result may lie from the exact one, and exact values to measure it from."""
