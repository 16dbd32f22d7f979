"""Detectors of generated pictures, and the one protocol by which they are trained and compared.

protocol.py     folders of pictures → the same crop and last codec for all, disjoint parts
baselines.py    methods to compare with, and trivial ones that show how much of a score is confound
linear.py       features → a calibrated linear detector
measures.py     scores → accuracy, AUC, rate found at 1% false alarms, each with an interval
fit.py          fits the detector that slic embeds
"""
