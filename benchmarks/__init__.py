"""One question a file. Each prints a table, or JSON lines with `--json`, and can be imported."""
