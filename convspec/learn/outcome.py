"""What trying a step comes to."""

from __future__ import annotations

from typing import NamedTuple

from convspec.learn.misconceptions import Misconception


class Right(NamedTuple):
    """Everything that was tried is right: how much that was."""

    tried: str


class Missing(NamedTuple):
    """The learner's file does not offer the step yet, and what of it is missing."""

    what: str


class Wrong(NamedTuple):
    """The first thing that breaks: its kind and how often it was seen, the mistake by its name in
    the catalogue with what is done there, the misconception behind it, and the smallest case drawn.

    Kinds are those of differences, and of a law: `law`, false of what is right, and `unnoticed`,
    true of what is wrong.
    """

    kind: str
    often: str
    mistake: str | None
    instead: str
    misconception: Misconception | None
    picture: str


Outcome = Right | Missing | Wrong
