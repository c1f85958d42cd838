"""For all tests: the plugins they use, and their zone."""

import os
import time

# What people read has their own times: expected texts are those of an operator who lives by UTC,
# whatever the machine's zone. Tests of other zones move there themselves.
os.environ["TZ"] = "UTC"
time.tzset()

pytest_plugins = ["no_skips", "postgres", "pytester"]
