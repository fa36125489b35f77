"""The convention atlas: what each implementation does where the spec leaves it free, or rules it.

`python -m atlas.measure NAME ...` makes the probes, and nothing else of a check, on implementations
that are installed, and keeps what they showed in docs/atlas.  `python -m atlas.reports NAME ...`
checks them and keeps the reports in docs/reports.  `python -m atlas.page --write` and
`python -m atlas.reports_page --write` make docs/atlas.md and docs/reports.md of that.
"""
