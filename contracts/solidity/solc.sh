#!/bin/sh
# The compiler that forge calls: the npm package, wrapped.
exec node "$(dirname "$(readlink -f "$0")")/solc_front.js" "$@"
