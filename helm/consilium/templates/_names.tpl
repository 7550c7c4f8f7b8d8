{{/* Names and labels. A component is one process of docs/guides/operator.md. */}}

{{- define "consilium.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 34 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 34 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "consilium.releaseLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "consilium.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{ include "consilium.releaseLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: consilium
{{- end }}

{{/* (list $ "web"): labels by which one component is selected */}}
{{- define "consilium.selector" -}}
{{ include "consilium.releaseLabels" (index . 0) }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* (list $ "web"): all labels of an object of one component */}}
{{- define "consilium.componentLabels" -}}
{{ include "consilium.labels" (index . 0) }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* (list $ .Values.image): repository, and the digest or else the tag */}}
{{- define "consilium.image" -}}
{{- $image := index . 1 -}}
{{- if $image.digest }}{{ $image.repository }}@{{ $image.digest }}
{{- else }}{{ $image.repository }}:{{ $image.tag | default (index . 0).Chart.AppVersion }}{{ end }}
{{- end }}

{{- define "consilium.host" -}}
{{ (urlParse .Values.publicUrl).hostname }}
{{- end }}

{{- define "consilium.allowedHosts" -}}
{{ prepend (without .Values.allowedHosts (include "consilium.host" .)) (include "consilium.host" .) | join "," }}
{{- end }}
