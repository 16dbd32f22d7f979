"""Real or generated: what spectrum and codec say of a picture, and what follows from it.

windows.py    what of a picture is looked at
surprise.py   bits that a picture takes, against those that the model expects
features.py   windows → named numbers
detector.py   numbers → a probability, or why there is none
detect.py     pictures → what is said of them
"""
