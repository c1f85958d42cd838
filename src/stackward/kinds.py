"""Every kind of step, check and request that a stored plan may hold."""

from stackward import checks, requests, steps
from stackward.plan import Kinds

KINDS = Kinds(steps=steps.KINDS, checks=checks.KINDS, requests=requests.KINDS)
