#!/bin/sh
# Runs forge from node_modules, off-line: `contracts/solidity/forge.sh test`, `... fmt --check`, `... coverage`.
set -eu
here="$(dirname "$(readlink -f "$0")")"
modules="$(readlink -f "$here/../../node_modules" || true)"
forge="$modules/@foundry-rs/forge-linux-amd64/bin/forge"
if [ ! -x "$forge" ]; then
    echo "forge is not installed: run 'npm ci' in the repository's root" >&2
    exit 2
fi
cd "$here"
command="${1:-test}"
[ $# -eq 0 ] || shift
case "$command" in
    build | test | coverage | snapshot)
        # an absolute path: with a relative one forge reads each library file twice, under two names
        exec "$forge" "$command" --offline --use "$here/solc.sh" \
            --remappings "@openzeppelin/=$modules/@openzeppelin/" "$@"
        ;;
    *) exec "$forge" "$command" "$@" ;;
esac
