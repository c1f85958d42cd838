"""A disposable real OpenStack cloud on one machine, to rehearse and to test on.

Not for anything that must stay: a lab is undone by `stackward lab down --purge`.
"""
