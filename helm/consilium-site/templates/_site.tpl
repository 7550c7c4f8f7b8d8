{{/* site.toml, as agent/configuration.py reads it; a JSON string is a TOML string. */}}
{{- define "site.toml" -}}
{{- $rules := .Values.rules -}}
[organization]
id = {{ .Values.organization.id | toJson }}
name = {{ .Values.organization.name | toJson }}

[platform]
url = {{ trimSuffix "/" .Values.platform.url | toJson }}

[chain]
id = {{ int64 .Values.chain.id }}
rpc_urls = {{ .Values.chain.rpcUrls | toJson }}
{{- with .Values.chain.operationsUrl }}
operations_url = {{ . | toJson }}
operations_token_file = "/run/consilium/operations/TOKEN"

[node]
{{- with $.Values.node }}
enodes = {{ .enodes | toJson }}
also_permitted = {{ .alsoPermitted | toJson }}
accounts = {{ .accounts | toJson }}
{{- with .validatorSource }}
validator_source = {{ . | toJson }}
{{- end }}
{{- end }}
{{- end }}

[member_page]
port = 8471
hosts = {{ .Values.memberPage.hosts | toJson }}

[rules]
signatures_per_minute = {{ int64 $rules.signaturesPerMinute }}
max_head_age_seconds = {{ int64 $rules.maxHeadAgeSeconds }}
minimum_cohort = {{ int64 $rules.minimumCohort }}
max_rounds = {{ int64 $rules.maxRounds }}
plans_by_hand = {{ $rules.plansByHand }}
repair_allow_list = {{ $rules.repairAllowList }}
{{- if kindIs "slice" $rules.workKinds }}
work_kinds = {{ $rules.workKinds | toJson }}
{{- end }}
{{- if kindIs "slice" $rules.purposes }}
purposes = {{ $rules.purposes | toJson }}
{{- end }}
{{- $signer := .Values.signer }}
{{- range $purpose := list "vote" "site" }}
{{- with index $signer (print $purpose "Identifier") }}

[signer.{{ $purpose }}]
kind = "web3signer"
url = {{ trimSuffix "/" $signer.url | toJson }}
identifier = {{ lower . | toJson }}
certificate = "/run/consilium/signer/tls.crt"
key = "/run/consilium/signer/tls.key"
authority = "/run/consilium/signer/ca.crt"
interface = {{ $signer.interface | toJson }}
timeout_seconds = {{ int $signer.timeoutSeconds }}
{{- end }}
{{- end }}
{{ end }}

{{- define "site.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "site.environment" -}}
- name: CONSILIUM_SITE_FOLDER
  value: /var/lib/consilium-site/site
- name: CONSILIUM_SITE_SALTS_FOLDER
  value: /var/lib/consilium-salts/salts
- name: CONSILIUM_SITE_PASSPHRASE_FILE
  value: /run/consilium/passphrase/passphrase
- name: HOME
  value: /tmp
{{- if .Values.externalCa.existingConfigMap }}
- name: SSL_CERT_FILE
  value: /run/consilium/ca/ca.crt
- name: REQUESTS_CA_BUNDLE
  value: /run/consilium/ca/ca.crt
{{- end }}
{{- end }}

{{- define "site.mounts" -}}
- name: tmp
  mountPath: /tmp
- name: site
  mountPath: /var/lib/consilium-site
- name: salts
  mountPath: /var/lib/consilium-salts
- name: passphrase
  mountPath: /run/consilium/passphrase
{{- if .Values.externalCa.existingConfigMap }}
- name: ca
  mountPath: /run/consilium/ca
  readOnly: true
{{- end }}
{{- end }}
