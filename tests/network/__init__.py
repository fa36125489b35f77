"""Networks: plans, runs, architectures."""
