"""How hard the tests try, by the Hypothesis profile chosen with --hypothesis-profile, and what
coverage traces of them.

They belong to this repository and not to the pytest plugin, which must leave alone the profile of
whoever installs convspec.
"""

import os
import sys
from contextlib import contextmanager
from functools import wraps
from itertools import count

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

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


# Tracing makes all that runs two to five times slower, Hypothesis included, and what a property
# covers it covers at its first examples: under coverage the others run untraced, and so do whole
# checks and what they start. A line that only they reach counts as missed.
TRACED_EXAMPLES = 20
MEASURED_PROCESSES = "COVERAGE_PROCESS_CONFIG"


@contextmanager
def untraced():
    """Neither this process nor one that it starts is traced."""
    tracer, processes = sys.gettrace(), os.environ.pop(MEASURED_PROCESSES, None)
    sys.settrace(None)
    try:
        yield
    finally:
        sys.settrace(tracer)
        if processes is not None:
            os.environ[MEASURED_PROCESSES] = processes


def traced_at_first(test):
    """A property's inner test that ends tracing after its first examples."""
    begun = count()

    @wraps(test)
    def inner(*arguments, **keywords):
        if next(begun) == TRACED_EXAMPLES:
            sys.settrace(None)
        return test(*arguments, **keywords)

    return inner


@contextmanager
def briefly_traced(law):
    """A property of which the first examples are traced; after it, tracing goes on."""
    tracer, test = sys.gettrace(), law.hypothesis.inner_test
    law.hypothesis.inner_test = traced_at_first(test)
    try:
        yield
    finally:
        law.hypothesis.inner_test = test
        sys.settrace(tracer)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    test = getattr(item, "obj", None)
    if sys.gettrace() is None:
        return (yield)
    if item.get_closest_marker("slow"):
        with untraced():
            return (yield)
    if is_hypothesis_test(test):
        with briefly_traced(test):
            return (yield)
    return (yield)
