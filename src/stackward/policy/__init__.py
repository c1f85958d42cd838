"""JUDGE: pure rules shared by runbooks: may it move, is there room."""
