"""Who made a file, and whether it still is what they made: keys, signatures, verdicts. Loads no torch.

    sign(source, target, key="press.key")            verify(source, "press.pub") -> Verdict

keys.py has the keys and their files, pkcs8.py the lock on a private key, external.py keys that a command
holds, signature.py signs and strips, verdict.py judges. What a signature covers: `slic_formats.signing`.
"""
