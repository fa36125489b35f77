"""How hard the tests try: the Hypothesis profiles, chosen with --hypothesis-profile.

They belong to this repository and not to the pytest plugin, which must leave alone the profile of
whoever installs convspec.
"""

from hypothesis import HealthCheck, settings

# For pytester, with which the pytest plugin is tested.
pytest_plugins = ["pytester"]

# At the desk: random, so that every run looks somewhere new. The first call of a definition
# imports its chapter, and a literal definition is slow by design: a deadline would measure that,
# and the machine's load, rather than the code.
settings.register_profile("dev", deadline=None, print_blob=True)

# A red build must be red because of the change under test: the same examples every time.
# Generating a geometry with its arrays on a busy machine is slow, and no fault of the test.
settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)

# Where the question is only whether a Python version works.
settings.register_profile("quick", settings.get_profile("ci"), max_examples=20)

settings.load_profile("dev")
