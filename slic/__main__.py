"""python -m slic"""

from slic.cli import run

run()
