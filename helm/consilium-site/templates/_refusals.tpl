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
  {{- range $name := list "platform" "chain" "dns" }}
    {{- if not (index $v.networkPolicy $name).peers }}
      {{- fail (printf "networkPolicy.%s.peers names nobody. Name the pods or addresses (podSelector, namespaceSelector, ipBlock): what is not named is cut off." $name) }}
    {{- end }}
  {{- end }}
{{- end }}
{{- end }}
