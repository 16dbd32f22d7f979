#!/bin/sh
# Before a static site goes out: its pictures become signed .slic files, and none goes out that the policy holds.
#
#   examples/pre_publish.sh public/ press.key newsroom.toml && rsync -a public/ server:/var/www/
#
# As the last build step of Hugo, Jekyll or Eleventy, as .git/hooks/pre-push, or as a step of CI: whatever it
# refuses ends it with a code that is not 0, and its line on standard error says why. Pictures that were encoded
# before are left as they are, so that a second run takes no time. The key's passphrase: SLIC_PASSPHRASE_FILE.
set -eu
site=$1 key=$2 policy=$3

slic encode -r "$site" -o "$site/slic/" --sign "$key" --skip-existing
slic gate -r "$site/slic/" --policy "$policy"
