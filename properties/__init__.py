"""Properties of the operations, as Hypothesis tests: read them as a course, run them as a suite.

`pytest --pyargs convspec.properties --implementation my.module` runs the laws on any module that
offers functions with the operations' names and keywords.
"""
