{{/*
One pod of the platform. Parameters:
  root, component, command (a list), database ("Owner", "App", "System" or "" for none)
  image, settings (the component's own values), and where needed:
  keys (of "relay", "log"; "chainRpcJwt" comes by itself), oidc, founding, bundles ("read" or "write"), runs, probes ("web", "heartbeat" or ""), restartPolicy
*/}}
{{- define "consilium.pod" -}}
{{- $root := .root -}}
{{- $v := $root.Values -}}
{{- /* Whoever sends has keys of the relay: files of a Secret, a signer that holds them, or both. */}}
{{- if has "relay" (.keys | default list) }}
  {{- $_ := set . "relaySigner" $v.relaySigner.url }}
  {{- if not $v.secrets.relay.existingSecret }}
    {{- $_ := set . "keys" (without .keys "relay") }}
  {{- end }}
{{- end }}
{{- /* Who sees whether a node is connected: web relays no activation without, and `chain status` is asked in the projector's pod. */}}
{{- if and $v.chain.operationsUrls (has .component (list "web" "projector")) }}
  {{- $_ := set . "operations" true }}
{{- end }}
{{- /* Whoever asks the chain proves itself to nodes that want a token; the owner of the tables asks no node. */}}
{{- if and $v.secrets.chainRpcJwt.existingSecret (has .database (list "App" "System")) }}
  {{- $_ := set . "keys" (append (.keys | default list) "chainRpcJwt") }}
{{- end }}
metadata:
  labels: {{- include "consilium.componentLabels" (list $root .component) | nindent 4 }}
spec:
  serviceAccountName: {{ include "consilium.name" $root }}-{{ .component }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- with $v.imagePullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $v.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with $v.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $v.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .restartPolicy }}
  restartPolicy: {{ . }}
  {{- end }}
  {{- with .settings.terminationGracePeriodSeconds }}
  terminationGracePeriodSeconds: {{ int . }}
  {{- end }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels: {{- include "consilium.selector" (list $root .component) | nindent 10 }}
  securityContext:
    runAsNonRoot: true
    runAsUser: {{ int $v.runAsUser }}
    runAsGroup: {{ int $v.runAsUser }}
    fsGroup: {{ int $v.runAsUser }}
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile:
      type: RuntimeDefault
  {{- if .keys }}
  initContainers:
    # A Secret's file can be read by its group; the programs take a key that its owner alone may read.
    - name: keys
      image: {{ include "consilium.image" (list $root .image) }}
      imagePullPolicy: {{ .image.pullPolicy }}
      command:
        - install
        - --mode=0600
        - --target-directory=/run/consilium/keys
        {{- range $key := .keys }}
        {{- range include "consilium.keyFiles" (list $root $key) | fromJsonArray }}
        - /run/consilium/secrets/{{ kebabcase $key }}/{{ . }}
        {{- end }}
        {{- end }}
      securityContext: {{- include "consilium.containerSecurity" $root | nindent 8 }}
      resources:
        requests: {cpu: 10m, memory: 16Mi}
        limits: {cpu: 100m, memory: 32Mi}
      volumeMounts:
        - name: keys
          mountPath: /run/consilium/keys
        {{- range .keys }}
        - name: secret-{{ kebabcase . }}
          mountPath: /run/consilium/secrets/{{ kebabcase . }}
          readOnly: true
        {{- end }}
  {{- end }}
  containers:
    - name: {{ .component }}
      image: {{ include "consilium.image" (list $root .image) }}
      imagePullPolicy: {{ .image.pullPolicy }}
      command: {{- toYaml .command | nindent 8 }}
      env: {{- include "consilium.podEnvironment" . | trim | nindent 8 }}
      securityContext: {{- include "consilium.containerSecurity" $root | nindent 8 }}
      resources: {{- toYaml .settings.resources | nindent 8 }}
      {{- if eq (.probes | default "") "web" }}
      ports:
        - name: http
          containerPort: 8000
      startupProbe:
        httpGet: {{- include "consilium.ask" (list $root "/healthz") | nindent 10 }}
        periodSeconds: 2
        failureThreshold: 60
      livenessProbe:
        httpGet: {{- include "consilium.ask" (list $root "/healthz") | nindent 10 }}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet: {{- include "consilium.ask" (list $root "/readyz/web") | nindent 10 }}
        periodSeconds: 10
        timeoutSeconds: 8
        failureThreshold: 3
      lifecycle:
        # Until every proxy has heard that this pod goes, it still answers.
        preStop:
          exec:
            command: [sleep, {{ int .settings.preStopSeconds | quote }}]
      {{- else if eq (.probes | default "") "heartbeat" }}
      startupProbe:
        exec:
          command: [healthy]
        periodSeconds: 2
        failureThreshold: 60
      livenessProbe:
        exec:
          command: [healthy]
        periodSeconds: 20
        timeoutSeconds: 5
        # With the two minutes that a heartbeat may be old: a broker that is away for ten minutes ends nothing.
        failureThreshold: 24
      readinessProbe:
        exec:
          command: [healthy, --working]
        periodSeconds: 10
        timeoutSeconds: 5
      {{- end }}
      volumeMounts: {{- include "consilium.mounts" . | nindent 8 }}
  volumes: {{- include "consilium.volumes" . | nindent 4 }}
{{- end }}

{{- define "consilium.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* Django knows its host and that the proxy spoke https: without both it would answer 400 or a redirect. */}}
{{- define "consilium.ask" -}}
path: {{ index . 1 }}
port: http
httpHeaders:
  - name: Host
    value: {{ include "consilium.host" (index . 0) }}
  - name: X-Forwarded-Proto
    value: https
{{- end }}
