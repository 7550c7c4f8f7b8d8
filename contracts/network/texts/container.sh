#!/bin/sh
# The node of $name as a container. Name the image by digest, the same that the other members agreed on:
#   BESU_IMAGE=hyperledger/besu@sha256:... ./container.sh
# The host's network is used, so that what listens on 127.0.0.1 stays on this machine. The image's environment lets both
# ports listen on every address, and wins over config.toml: only the command line wins over it.
set -eu
: "$${BESU_IMAGE:?name the image by its digest}"
user=$$(id -u besu)
group=$$(id -g besu)
java_options=$$(sed -n 's/^BESU_OPTS=//p' /etc/besu/besu.env)
exec docker run --name besu-$name --detach --restart unless-stopped --stop-timeout 120 \
  --network host --user "$$user:$$group" --env "BESU_OPTS=$$java_options" \
  --read-only --tmpfs /tmp:exec --cap-drop ALL --security-opt no-new-privileges --ulimit nofile=65536 \
  --volume /etc/besu:/etc/besu:ro --volume /var/lib/besu:/var/lib/besu \
  "$$BESU_IMAGE" --profile=ENTERPRISE --config-file=/etc/besu/config.toml \
  --rpc-http-host=$rpc_host --rpc-ws-host=127.0.0.1
