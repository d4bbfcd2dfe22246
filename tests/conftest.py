"""What holds for every test."""

import gc
from functools import cache

import httpx._transports.default
from hypothesis import settings

# A busy machine is no fault of the code: nothing here is timed.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# A call without a client of its own would read every certificate authority first, for plain HTTP too: 27 ms each.
httpx._transports.default.create_ssl_context = cache(httpx.create_ssl_context)
# With the default of 700 an eighth of the unit tests' time goes by looking through what is there for good.
gc.set_threshold(50_000)
