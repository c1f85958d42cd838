"""What stands for the world in the fast tests: one module for each service and port.

Each keeps the contract that its adapter keeps on the lab (tests/contract).
"""
