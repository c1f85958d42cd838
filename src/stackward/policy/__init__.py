"""JUDGE: pure rules shared by operations: may it move, is there room."""
