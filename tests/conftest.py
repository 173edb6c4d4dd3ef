"""One Hypothesis profile for every test; HYPOTHESIS_PROFILE=nightly looks longer."""

import os

from hypothesis import settings

# Deadlines would time the machine, not the code; CI has two busy cores.
settings.register_profile("default", deadline=None)
settings.register_profile("nightly", deadline=None, max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
