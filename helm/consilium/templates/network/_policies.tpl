{{/* Which process asks whom. Every row becomes a policy of its own, named FROM-to-TO. */}}
{{- define "consilium.edges" -}}
web: [postgresql, broker, chain{{ if .Values.chain.operationsUrls }}, operations{{ end }}{{ if .Values.oidc.jwksUrl }}, identityProvider{{ end }}]
worker: [postgresql, broker, chain]
run-worker: [postgresql, broker]
system-worker: [postgresql, broker]
beat: [broker]
dispatcher: [postgresql, chain{{ if .Values.relaySigner.url }}, relaySigner{{ end }}]
projector: [postgresql, chain{{ if .Values.chain.operationsUrls }}, operations{{ end }}]
{{- end }}

{{- define "consilium.jobEdges" -}}
{{- if .Values.migrations.enabled }}
migrations: [postgresql]
{{- end }}
{{- if .Values.founding.enabled }}
founding: [postgresql, chain{{ if .Values.relaySigner.url }}, relaySigner{{ end }}]
{{- end }}
{{- end }}

{{/* (list $ FROM TO HOOK): one edge outwards; HOOK are annotations of what has to be there before a job. */}}
{{- define "consilium.egress" -}}
{{- $root := index . 0 -}}
{{- $target := index $root.Values.networkPolicy (index . 2) -}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "consilium.name" $root }}-{{ index . 1 }}-to-{{ index . 2 | kebabcase }}
  labels: {{- include "consilium.componentLabels" (list $root (index . 1)) | nindent 4 }}
  {{- with index . 3 }}
  annotations: {{- . | nindent 4 }}
  {{- end }}
spec:
  podSelector:
    matchLabels: {{- include "consilium.selector" (list $root (index . 1)) | nindent 6 }}
  policyTypes: [Egress]
  egress:
    - to: {{- toYaml $target.peers | nindent 8 }}
      ports:
        - {protocol: TCP, port: {{ int $target.port }}}
{{- end }}

{{/* (list $ NAME SELECTOR HOOK LABELS): nothing in, nothing out */}}
{{- define "consilium.denial" -}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "consilium.name" (index . 0) }}-{{ index . 1 }}
  labels: {{- index . 4 | nindent 4 }}
  {{- with index . 3 }}
  annotations: {{- . | nindent 4 }}
  {{- end }}
spec:
  podSelector:
    matchLabels: {{- index . 2 | nindent 6 }}
  policyTypes: [Ingress, Egress]
{{- end }}

{{/* (list $ NAME SELECTOR HOOK LABELS): the cluster's names */}}
{{- define "consilium.names" -}}
{{- $dns := (index . 0).Values.networkPolicy.dns -}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "consilium.name" (index . 0) }}-{{ index . 1 }}
  labels: {{- index . 4 | nindent 4 }}
  {{- with index . 3 }}
  annotations: {{- . | nindent 4 }}
  {{- end }}
spec:
  podSelector:
    matchLabels: {{- index . 2 | nindent 6 }}
  policyTypes: [Egress]
  egress:
    - to: {{- toYaml $dns.peers | nindent 8 }}
      ports:
        - {protocol: UDP, port: {{ int $dns.port }}}
        - {protocol: TCP, port: {{ int $dns.port }}}
{{- end }}
