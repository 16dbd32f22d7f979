"""slic on many machines, with Ray Data. Needs `slic[ray]`.

store.py   folders anywhere: this disk, S3, GCS        tasks.py   what is done with each file
ledger.py  what is done already, and what failed       job.py     from one folder to the other
"""
