{{- define "site.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 34 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 34 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "site.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "site.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{ include "site.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: consilium
{{- end }}

{{- define "site.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{/* Whom the agent connects to beside DNS, as JSON. */}}
{{- define "site.targets" -}}
{{- $targets := list "platform" "chain" -}}
{{- if .Values.signer.url }}{{ $targets = append $targets "signer" }}{{ end -}}
{{- if .Values.chain.operationsUrl }}{{ $targets = append $targets "operations" }}{{ end -}}
{{- $targets | toJson -}}
{{- end }}
