"""The convention atlas: what each implementation does where the spec leaves it free, or rules it.

`python -m atlas.measure TARGET ...` makes the probes, and nothing else of a check, on targets that
are installed, and keeps what they showed in docs/atlas.  `python -m atlas.page --write` makes
docs/atlas.md of that.
"""
