{{/*
What all processes are told and everybody may read; secrets come as files. Names: docs/guides/operator.md.
It stands in each pod and not in a ConfigMap: a change starts the pods anew, a rollback brings the old values back
with the old pods, and the jobs that run before everything else have it too.
*/}}
{{- define "consilium.environment" -}}
DJANGO_SETTINGS_MODULE: consortium.settings.production
PUBLIC_URL: {{ trimSuffix "/" .Values.publicUrl | quote }}
ALLOWED_HOSTS: {{ include "consilium.allowedHosts" . | quote }}
OIDC_ISSUER: {{ .Values.oidc.issuer | default (trimSuffix "/" .Values.publicUrl) | quote }}
OIDC_AUDIENCE: {{ .Values.oidc.audience | quote }}
OIDC_JWKS_URL: {{ .Values.oidc.jwksUrl | quote }}
CHAIN_RPC_URL: {{ join "," .Values.chain.rpcUrls | quote }}
CHAIN_ID: {{ .Values.chain.id | int64 | quote }}
LOG_ORIGIN: {{ .Values.logOrigin | quote }}
AUDIT_ANCHOR_SECONDS: {{ .Values.logAnchorSeconds | int64 | quote }}
LOG_LEVEL: {{ .Values.logLevel | quote }}
PLATFORM_FOLDER: /var/lib/consilium
HOME: /tmp
{{- if .Values.externalCa.existingConfigMap }}
SSL_CERT_FILE: /run/consilium/ca/ca.crt
REQUESTS_CA_BUNDLE: /run/consilium/ca/ca.crt
{{- end }}
{{- end }}

{{/* A pod's own list: the common part, and files for the secrets that this process needs. */}}
{{- define "consilium.podEnvironment" -}}
{{- $common := include "consilium.environment" .root | fromYaml -}}
{{- range $name := keys $common | sortAlpha }}
- name: {{ $name }}
  value: {{ index $common $name | quote }}
{{- end }}
- name: SECRET_KEY_FILE
  value: /run/consilium/secrets/django/SECRET_KEY
- name: CELERY_BROKER_URL_FILE
  value: /run/consilium/secrets/broker/CELERY_BROKER_URL
- name: CACHE_URL_FILE
  value: /run/consilium/secrets/broker/CACHE_URL
{{- if .database }}
- name: DATABASE_URL_FILE
  value: /run/consilium/secrets/database/DATABASE_URL
{{- else }}
# It asks no database: the address leads nowhere.
- name: DATABASE_URL
  value: postgres://nobody@127.0.0.1:1/none
{{- end }}
{{- if .oidc }}
- name: OIDC_PRIVATE_KEY_FILE
  value: /run/consilium/secrets/oidc/OIDC_PRIVATE_KEY
{{- else }}
# It signs no tokens.
- name: OIDC_PRIVATE_KEY
  value: ""
{{- end }}
{{- $root := .root }}
{{- range $key := .keys }}
{{- $files := include "consilium.keyFiles" (list $root $key) | fromJsonArray }}
{{- $paths := list }}
{{- range $files }}{{- $paths = append $paths (print "/run/consilium/keys/" .) }}{{- end }}
- name: {{ snakecase $key | upper }}_KEY_FILE
  value: {{ join "," $paths }}
{{- end }}
{{- if and (has "relay" (.keys | default list)) .root.Values.secrets.relay.hasPassphrase }}
- name: RELAY_PASSPHRASE_FILE
  value: /run/consilium/secrets/relay/RELAY_PASSPHRASE
{{- end }}
{{- if .operations }}
- name: CHAIN_OPERATIONS_URL
  value: {{ join "," .root.Values.chain.operationsUrls | quote }}
- name: CHAIN_OPERATIONS_TOKEN_FILE
  value: /run/consilium/operations/TOKEN
{{- end }}
{{- if .relaySigner }}
{{- with .root.Values.relaySigner }}
- name: RELAY_SIGNER_URL
  value: {{ trimSuffix "/" .url | quote }}
# Public halves: they name the keys.
- name: RELAY_SIGNER_KEYS
  value: {{ join "," .keys | quote }}
- name: RELAY_SIGNER_TIMEOUT_SECONDS
  value: {{ int .timeoutSeconds | quote }}
{{- end }}
- name: RELAY_SIGNER_CERTIFICATE_FILE
  value: /run/consilium/signer/tls.crt
- name: RELAY_SIGNER_KEY_FILE
  value: /run/consilium/signer/tls.key
- name: RELAY_SIGNER_AUTHORITY_FILE
  value: /run/consilium/signer/ca.crt
{{- end }}
{{- if eq (.probes | default "") "web" }}
- name: DATABASE_POOL_SIZE
  value: {{ int .settings.databasePoolSize | quote }}
{{- else if eq (.probes | default "") "heartbeat" }}
- name: HEARTBEAT_FILE
  value: /tmp/heartbeat
{{- end }}
{{- end }}

{{- define "consilium.mounts" -}}
- name: tmp
  mountPath: /tmp
- name: secret-django
  mountPath: /run/consilium/secrets/django
  readOnly: true
- name: secret-broker
  mountPath: /run/consilium/secrets/broker
  readOnly: true
{{- if .database }}
- name: secret-database
  mountPath: /run/consilium/secrets/database
  readOnly: true
{{- end }}
{{- if .oidc }}
- name: secret-oidc
  mountPath: /run/consilium/secrets/oidc
  readOnly: true
{{- end }}
{{- if .keys }}
- name: keys
  mountPath: /run/consilium/keys
  readOnly: true
{{- end }}
{{- if and (has "relay" (.keys | default list)) .root.Values.secrets.relay.hasPassphrase }}
- name: secret-relay
  mountPath: /run/consilium/secrets/relay
  readOnly: true
{{- end }}
{{- if .operations }}
- name: secret-operations
  mountPath: /run/consilium/operations
  readOnly: true
{{- end }}
{{- if .relaySigner }}
# As it is, not copied: a certificate that is renewed in the Secret holds without a restart.
- name: secret-relay-signer
  mountPath: /run/consilium/signer
  readOnly: true
{{- end }}
{{- if .founding }}
- name: founding
  mountPath: /run/consilium/founding
  readOnly: true
{{- end }}
{{- if .bundles }}
- name: bundles
  mountPath: /var/lib/consilium/bundles
  readOnly: {{ eq .bundles "read" }}
{{- end }}
{{- if .runs }}
- name: runs
  mountPath: /var/lib/consilium/runs
{{- end }}
{{- if .root.Values.externalCa.existingConfigMap }}
- name: ca
  mountPath: /run/consilium/ca
  readOnly: true
{{- end }}
{{- end }}

{{- define "consilium.volumes" -}}
{{- $secrets := .root.Values.secrets -}}
- name: tmp
  emptyDir: {sizeLimit: 256Mi}
{{ include "consilium.secretVolume" (list "django" $secrets.django "SECRET_KEY") }}
{{ include "consilium.secretVolume" (list "broker" $secrets.broker "CELERY_BROKER_URL" "CACHE_URL") }}
{{- if .database }}
{{ include "consilium.secretVolume" (list "database" (index $secrets (print "database" .database)) "DATABASE_URL") }}
{{- end }}
{{- if .oidc }}
{{ include "consilium.secretVolume" (list "oidc" $secrets.oidc "OIDC_PRIVATE_KEY") }}
{{- end }}
{{- if .keys }}
- name: keys
  emptyDir: {medium: Memory, sizeLimit: 1Mi}
{{- end }}
{{- $root := .root }}
{{- range $key := .keys }}
{{- $files := include "consilium.keyFiles" (list $root $key) | fromJsonArray }}
{{- if and (eq $key "relay") $secrets.relay.hasPassphrase }}{{- $files = append $files "RELAY_PASSPHRASE" }}{{- end }}
{{ include "consilium.secretVolume" (concat (list (kebabcase $key) (index $secrets $key)) $files) }}
{{- end }}
{{- if .operations }}
{{ include "consilium.secretVolume" (list "operations" $secrets.operationsToken "TOKEN") }}
{{- end }}
{{- if .relaySigner }}
{{ include "consilium.secretVolume" (list "relay-signer" $secrets.relaySigner "tls.crt" "tls.key" "ca.crt") }}
{{- end }}
{{- if .founding }}
- name: founding
  secret:
    secretName: {{ .root.Values.founding.existingSecret }}
    defaultMode: 0440
    items:
      - key: founding.json
        path: founding.json
{{- end }}
{{- if .bundles }}
- name: bundles
  persistentVolumeClaim:
    claimName: {{ .root.Values.storage.bundles.existingClaim | default (printf "%s-bundles" (include "consilium.name" .root)) }}
{{- end }}
{{- if .runs }}
- name: runs
  emptyDir: {sizeLimit: {{ .root.Values.storage.runs.sizeLimit }}}
{{- end }}
{{- if .root.Values.externalCa.existingConfigMap }}
- name: ca
  configMap:
    name: {{ .root.Values.externalCa.existingConfigMap }}
    items:
      - key: {{ .root.Values.externalCa.key }}
        path: ca.crt
{{- end }}
{{- end }}

{{/* (list ROOT KEY): the files of a key in its Secret, as JSON; each key of the relay is a lane of its own */}}
{{- define "consilium.keyFiles" -}}
{{- $key := index . 1 -}}
{{- if eq $key "relay" -}}
{{- (index . 0).Values.secrets.relay.keys | toJson -}}
{{- else -}}
{{- list (printf "%s_KEY" (snakecase $key | upper)) | toJson -}}
{{- end -}}
{{- end }}

{{/* (list NAME VALUES KEY...): only the keys that the process reads */}}
{{- define "consilium.secretVolume" -}}
- name: secret-{{ index . 0 }}
  secret:
    secretName: {{ (index . 1).existingSecret }}
    defaultMode: 0440
    items:
    {{- range slice . 2 }}
      - key: {{ . }}
        path: {{ . }}
    {{- end }}
{{- end }}
