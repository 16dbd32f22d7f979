"""slic over HTTP, on one's own machine. Needs `slic[serve]`.

upload.py     a request's body, within limits        lane.py      same-sized work in one forward pass
guard.py      who may ask                            service.py   what is asked, done
telemetry.py  logs, metrics                          app.py       the paths and what they answer
page.py       the page at /                          settings.py  all that can be chosen
"""
