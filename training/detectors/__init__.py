"""Detectors of generated pictures, and the one protocol by which they are trained and compared.

protocol.py     folders of pictures → the same crop and last codec for all, disjoint parts
baselines.py    methods to compare with, and trivial ones that show how much of a score is confound
linear.py       features → a calibrated linear detector
measures.py     scores → accuracy, AUC, rate found at 1% false alarms, each with an interval
fit.py          fits the detector that slic embeds

Detectors that learn from pixels, none of which is embedded:

learner.py      what they have in common         learners.py     all of them, by name
quality.py      which codecs suit a picture: subbands.py, and the codecs of band_codecs.py
deepfeaturex.py a network for each kind of generator, and one that weighs them
classifier.py   one network; fitting.py trains it, backbones.py makes it

learners.py has the cheap methods, too, by featured.py.

Experiments, which benchmarks.detect_learned and benchmarks.detect_study run:

matrices.py     each generator alone, and all but each
curves.py       how many pictures of a new generator are needed
degradations.py blur, JPEG, patches, downsizing; learnt with them or not
adversarial.py  FGSM, between networks; a blur against it, and learning from it
localise.py     where a generated region was blended in: blends.py makes them
"""
