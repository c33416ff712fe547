"""What a new venue is made from: copy this folder, name it after the venue's key, and fill it in. Folders with `_` are no venues.

A venue is found by its folder; no other file is changed. `capabilities.py` and `sign_in.py` are loaded without the rest.
"""
