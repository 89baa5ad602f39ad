{{- define "mindloom.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "mindloom.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* What pods of Mindloom's own image begin with. Takes (dict "root" $ "account" "web" "token" false). */}}
{{- define "mindloom.podBasics" -}}
serviceAccountName: {{ include "mindloom.name" .root }}-{{ .account }}
automountServiceAccountToken: {{ .token | default false }}
enableServiceLinks: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  {{- include "mindloom.podSecurity" 10001 | nindent 2 }}
{{- end }}

{{/* Where pods go. Takes (dict "root" $ "part" "web" "colour" "blue" "values" .Values.web). */}}
{{- define "mindloom.placement" -}}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- if .root.Values.topologySpread.enabled }}
topologySpreadConstraints:
  {{- $context := . }}
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "mindloom.selector" $context | nindent 8 }}
  {{- end }}
{{- end }}
{{- end }}

{{/* A container of Mindloom's own image. Takes (dict "root" $ "colour" "blue"), and "alive" true for parts that touch a file. */}}
{{- define "mindloom.container" -}}
image: {{ include "mindloom.image" . | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  {{- include "mindloom.containerSecurity" . | nindent 2 }}
env:
  {{- include "mindloom.env" . | nindent 2 }}
  {{- if .worker }}
  - name: WORKER_CONCURRENCY
    value: {{ .root.Values.worker.concurrency | quote }}
  - name: WORKER_DRAIN_SECONDS
    value: {{ .root.Values.worker.drainSeconds | quote }}
  {{- end }}
  {{- if .alive }}
  - name: ALIVE_FILE
    value: /tmp/alive
  {{- end }}
volumeMounts:
  - {name: secrets, mountPath: /run/secrets/mindloom, readOnly: true}
  - {name: files, mountPath: /var/lib/mindloom}
  - {name: tmp, mountPath: /tmp}
{{- end }}

{{- define "mindloom.volumes" -}}
- {{ include "mindloom.secretVolume" . | nindent 2 | trim }}
- name: tmp
  emptyDir: {sizeLimit: 2Gi}
- name: files
  {{- /* Migrations need no files, and may come before the claim is there. */}}
  {{- if and (eq .root.Values.files.kind "claim") (ne .part "migrate") }}
  persistentVolumeClaim: {claimName: {{ include "mindloom.claimName" .root }}}
  {{- else }}
  emptyDir: {sizeLimit: 2Gi}
  {{- end }}
{{- end }}

{{/* Waits until the tables are there that this image needs: at the first installation the database begins together with us. */}}
{{- define "mindloom.waitForTables" -}}
- name: wait-for-tables
  {{- include "mindloom.container" . | nindent 2 }}
  command: [sh, -c, "until python manage.py migrate --check >/tmp/tables 2>&1; do tail -n 1 /tmp/tables; sleep 2; done"]
  resources:
    requests: {cpu: 100m, memory: 256Mi}
    limits: {cpu: "1", memory: 512Mi}
{{- end }}

{{/* Worker and scheduler touch a file every few seconds. */}}
{{- define "mindloom.aliveProbes" -}}
startupProbe:
  exec: {command: [python, mindloom/healthy.py]}
  periodSeconds: 5
  timeoutSeconds: 10
  failureThreshold: 60
livenessProbe:
  exec: {command: [python, mindloom/healthy.py]}
  periodSeconds: 20
  timeoutSeconds: 10
  failureThreshold: 3
{{- end }}
