"""The defect list: what other packages do that their own documentation, or they themselves, deny.

`NAME.toml` holds the records of one package in one version, and `NAME/` a program for each that
needs that package and NumPy alone.  `python -m defects.run NAME` runs the programs, and
`python -m defects.page --write` makes docs/defects.md.
"""
