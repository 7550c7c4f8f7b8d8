{{/* What a schema cannot say, or says without a remedy. */}}

{{- define "consilium.refusals" -}}
{{- $v := .Values -}}
{{- if not (hasPrefix "https://" $v.publicUrl) }}
  {{- fail (printf "publicUrl is %q. Set it to the https address by which people and agents reach this deployment; production redirects everything else." $v.publicUrl) }}
{{- end }}
{{- if not $v.logOrigin }}
  {{- fail "logOrigin is not set. Choose the name of this deployment's logs now: it stands in every checkpoint and never changes." }}
{{- end }}
{{- if not $v.chain.rpcUrls }}
  {{- fail "chain.rpcUrls names no node. Name the JSON-RPC address of the platform's own node; several are tried in turn." }}
{{- end }}
{{- range $v.chain.rpcUrls }}
  {{- if contains "@" . }}
    {{- fail "chain.rpcUrls holds a user or pass word. It would stand in a ConfigMap: let the node know the platform by network, and name it without." }}
  {{- else if not (regexMatch "^https?://[^/\\s]+" .) }}
    {{- fail (printf "chain.rpcUrls holds %q. Each is an http or https address, such as http://besu-rpc.chain.svc:8545." .) }}
  {{- end }}
{{- end }}
{{- range $v.chain.operationsUrls }}
  {{- if not (regexMatch "^wss://[^/@\\s]+" .) }}
    {{- fail (printf "chain.operationsUrls holds %q. From a pod each is wss:// to a proxy with TLS on the node's machine: a token goes with each question." .) }}
  {{- end }}
{{- end }}
{{- if and $v.chain.operationsUrls (not $v.secrets.operationsToken.existingSecret) }}
  {{- fail "secrets.operationsToken.existingSecret is not set. Make a Secret with TOKEN, which permits admin:peers, perm:getNodesAllowlist, eth:*, net:* and qbft:* at the nodes, and name it here." }}
{{- end }}
{{- if lt (int $v.chain.id) 1 }}
  {{- fail "chain.id is not set. Set the consortium's chain id: a node of another chain is refused." }}
{{- end }}
{{- $secrets := dict "django" "SECRET_KEY" "oidc" "OIDC_PRIVATE_KEY" "broker" "CELERY_BROKER_URL and CACHE_URL" "databaseOwner" "DATABASE_URL of consilium_owner" "databaseApp" "DATABASE_URL of consilium_app" "databaseSystem" "DATABASE_URL of consilium_system" "relay" "RELAY_KEY" "log" "LOG_KEY" }}
{{- if $v.relaySigner.url }}
  {{- $_ := unset $secrets "relay" }}
  {{- if not (regexMatch "^https://[^/@?#\\s]+(/[^@?#\\s]*)?$" $v.relaySigner.url) }}
    {{- fail (printf "relaySigner.url is %q. Set https://HOST:PORT of Web3Signer: what signs is not asked in the clear." $v.relaySigner.url) }}
  {{- end }}
  {{- if not $v.relaySigner.keys }}
    {{- fail "relaySigner.keys names no key. Give the public keys as Web3Signer lists them (/api/v1/eth1/publicKeys); each is a lane." }}
  {{- end }}
  {{- $_ := set $secrets "relaySigner" "tls.crt, tls.key and ca.crt, the relay's certificate and the authority of the signer's," }}
{{- else if $v.relaySigner.keys }}
  {{- fail "relaySigner.keys names keys, and relaySigner.url no signer. Set the url, or remove the keys." }}
{{- end }}
{{- range $name, $content := $secrets }}
  {{- if not (index $v.secrets $name).existingSecret }}
    {{- fail (printf "secrets.%s.existingSecret is not set. Make a Secret with %s (README.md shows how) and name it here." $name $content) }}
  {{- end }}
{{- end }}
{{- $databases := list $v.secrets.databaseOwner.existingSecret $v.secrets.databaseApp.existingSecret $v.secrets.databaseSystem.existingSecret }}
{{- if lt (len (uniq $databases)) 3 }}
  {{- fail "secrets.databaseOwner, databaseApp and databaseSystem name one Secret. Make three: the role in DATABASE_URL decides what a process may see." }}
{{- end }}
{{- if ne (int $v.beat.replicas) 1 }}
  {{- fail "beat.replicas must be 1: every further clock sends every task once more." }}
{{- end }}
{{- if and $v.founding.enabled (not $v.founding.existingSecret) }}
  {{- fail "founding.existingSecret is not set. Put the founders' document into a Secret under the key founding.json and name it." }}
{{- end }}
{{- if and $v.ingress.enabled (not $v.ingress.tlsSecret) }}
  {{- fail "ingress.tlsSecret is not set. Name the Secret with the certificate: the portal answers over https alone." }}
{{- end }}
{{- $fewest := ternary $v.web.autoscaling.minReplicas $v.web.replicas $v.web.autoscaling.enabled | int }}
{{- if ge (int $v.web.minAvailable) $fewest }}
  {{- fail (printf "web.minAvailable is %d of %d web pods: no node with one of them could ever be drained. Make it smaller, or run more." (int $v.web.minAvailable) $fewest) }}
{{- end }}
{{- if lt (int $v.web.terminationGracePeriodSeconds) (add (int $v.web.preStopSeconds) 50 | int) }}
  {{- fail "web.terminationGracePeriodSeconds is too short. Give it preStopSeconds and 50 more: an agent's waiting request may take 45." }}
{{- end }}
{{- if $v.networkPolicy.enabled }}
  {{- $peers := dict "webPeers" $v.networkPolicy.webPeers "postgresql.peers" $v.networkPolicy.postgresql.peers "broker.peers" $v.networkPolicy.broker.peers "chain.peers" $v.networkPolicy.chain.peers "dns.peers" $v.networkPolicy.dns.peers }}
  {{- if $v.oidc.jwksUrl }}
    {{- $_ := set $peers "identityProvider.peers" $v.networkPolicy.identityProvider.peers }}
  {{- end }}
  {{- if $v.chain.operationsUrls }}
    {{- $_ := set $peers "operations.peers" $v.networkPolicy.operations.peers }}
  {{- end }}
  {{- if $v.relaySigner.url }}
    {{- $_ := set $peers "relaySigner.peers" $v.networkPolicy.relaySigner.peers }}
  {{- end }}
  {{- range $name, $list := $peers }}
    {{- if not $list }}
      {{- fail (printf "networkPolicy.%s names nobody. Name the pods or addresses (podSelector, namespaceSelector, ipBlock): what is not named is cut off." $name) }}
    {{- end }}
  {{- end }}
{{- end }}
{{- end }}
