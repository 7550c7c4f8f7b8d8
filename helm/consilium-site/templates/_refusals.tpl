{{/* What a schema cannot say, or says without a remedy. */}}
{{- define "site.refusals" -}}
{{- $v := .Values -}}
{{- if not $v.organization.id }}
  {{- fail "organization.id is not set. It is the UUID under which the platform knows this organization; its operator tells it." }}
{{- end }}
{{- if not $v.organization.name }}
  {{- fail "organization.name is not set. Give the organization's name as its own people say it." }}
{{- end }}
{{- if not (regexMatch "^https://[^/@\\s]+" $v.platform.url) }}
  {{- fail (printf "platform.url is %q. Set the platform's https address: what leaves the member's house is encrypted." $v.platform.url) }}
{{- end }}
{{- if not $v.chain.rpcUrls }}
  {{- fail "chain.rpcUrls names no node. A member reads the chain from its own node: name its JSON-RPC address." }}
{{- end }}
{{- range $v.chain.rpcUrls }}
  {{- if contains "@" . }}
    {{- fail "chain.rpcUrls holds a user or pass word. It would stand in a ConfigMap: let the node know the agent by network, and name it without." }}
  {{- else if not (regexMatch "^https?://[^/\\s]+" .) }}
    {{- fail (printf "chain.rpcUrls holds %q. Each is an http or https address, such as http://besu-rpc.chain.svc:8545." .) }}
  {{- end }}
{{- end }}
{{- if lt (int $v.chain.id) 1 }}
  {{- fail "chain.id is not set. Set the consortium's chain id: a node of another chain is refused." }}
{{- end }}
{{- if not $v.secrets.passphrase.existingSecret }}
  {{- fail "secrets.passphrase.existingSecret is not set. Make a Secret with PASSPHRASE, at least 32 random characters, and name it here; keep a copy apart from the volume with the keys." }}
{{- end }}
{{- $named := or $v.signer.voteIdentifier $v.signer.siteIdentifier }}
{{- if and $named (not $v.signer.url) }}
  {{- fail "signer.url is not set, but signer.voteIdentifier or siteIdentifier names a key of it. Set https://HOST:PORT of Web3Signer." }}
{{- end }}
{{- if $v.signer.url }}
  {{- if not (regexMatch "^https://[^/@?#\\s]+(/[^@?#\\s]*)?$" $v.signer.url) }}
    {{- fail (printf "signer.url is %q. Set https://HOST:PORT of Web3Signer: what signs is not asked in the clear." $v.signer.url) }}
  {{- end }}
  {{- if not $named }}
    {{- fail "signer.url names a signer and no key of it. Give signer.voteIdentifier, signer.siteIdentifier, or both: public keys as Web3Signer lists them." }}
  {{- end }}
  {{- if not $v.secrets.signer.existingSecret }}
    {{- fail "secrets.signer.existingSecret is not set. Make a Secret with tls.crt, tls.key and ca.crt, the agent's certificate and the authority of the signer's, and name it here." }}
  {{- end }}
{{- end }}
{{- if $v.chain.operationsUrl }}
  {{- if not (regexMatch "^wss://[^/@\\s]+" $v.chain.operationsUrl) }}
    {{- fail (printf "chain.operationsUrl is %q. From a pod it is wss:// to a proxy with TLS on your node's machine: a token that may change who connects goes with each question." $v.chain.operationsUrl) }}
  {{- end }}
  {{- if not $v.secrets.operationsToken.existingSecret }}
    {{- fail "secrets.operationsToken.existingSecret is not set. Make a Secret with TOKEN, which permits admin:*, perm:*, eth:*, net:* and qbft:* at your node, and name it here." }}
  {{- end }}
{{- else if or $v.node.enodes $v.node.alsoPermitted $v.node.accounts $v.node.validatorSource }}
  {{- fail "node is set, but chain.operationsUrl names no port by which the node's allow-lists could be kept. Set it, or remove node." }}
{{- end }}
{{- if not $v.planCode.walls }}
  {{- fail "planCode.walls is not set. In a pod the kernel's namespaces need a seccomp profile of your own: say \"namespaces\" and name it in planCode.seccompProfile, or say \"limits\" and accept that a plan's code runs behind its limits alone (README.md, \"Walls\")." }}
{{- end }}
{{- if and (eq $v.planCode.walls "namespaces") (not $v.planCode.seccompProfile) }}
  {{- fail "planCode.seccompProfile is not set. Name the profile on the nodes that allows unshare and chroot; without it the agent's pod would not start." }}
{{- end }}
{{- if and (eq $v.planCode.walls "limits") $v.planCode.seccompProfile }}
  {{- fail "planCode.seccompProfile is set, but planCode.walls is \"limits\". Say \"namespaces\", or remove the profile." }}
{{- end }}
{{- if $v.networkPolicy.enabled }}
  {{- range $name := append (include "site.targets" . | fromJsonArray) "dns" }}
    {{- if not (index $v.networkPolicy $name).peers }}
      {{- fail (printf "networkPolicy.%s.peers names nobody. Name the pods or addresses (podSelector, namespaceSelector, ipBlock): what is not named is cut off." $name) }}
    {{- end }}
  {{- end }}
{{- end }}
{{- end }}
