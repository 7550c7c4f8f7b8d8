{{/* (dict "root" . "component" NAME "hook" EVENTS "settings" VALUES "pod" POD): what runs once, with its own account and walls. */}}
{{- define "consilium.job" -}}
{{- $root := .root -}}
{{- $name := printf "%s-%s" (include "consilium.name" $root) .component -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $name }}
  labels: {{- include "consilium.componentLabels" (list $root .component) | nindent 4 }}
  annotations: {{- include "consilium.hook" (list .hook "-10") | nindent 4 }}
automountServiceAccountToken: false
---
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ $name }}
  labels: {{- include "consilium.componentLabels" (list $root .component) | nindent 4 }}
  annotations: {{- include "consilium.hook" (list .hook "0") | nindent 4 }}
spec:
  backoffLimit: 4
  activeDeadlineSeconds: {{ int .settings.activeDeadlineSeconds }}
  template: {{- .pod | nindent 4 }}
{{- end }}

{{/* What failed stays to be read; the next call puts itself in its place. */}}
{{- define "consilium.hook" -}}
helm.sh/hook: {{ index . 0 }}
helm.sh/hook-weight: {{ index . 1 | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}
