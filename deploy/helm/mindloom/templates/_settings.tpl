{{/* Options that the chart sets from values of its own. */}}
{{- define "mindloom.ownOptions" -}}
- MINDLOOM_URL
- MINDLOOM_DATA
- ALLOWED_HOSTS
- BEHIND_PROXY
- HTTPS_REDIRECT
- ALIVE_FILE
- WORKER_CONCURRENCY
- WORKER_DRAIN_SECONDS
- S3_BUCKET
- S3_ENDPOINT
- S3_REGION
- S3_PREFIX
- RUN_EXECUTOR
- POD_IP
{{- range (list "DATABASE_URL" "REDIS_URL" "SECRET_KEY" "KEY_RING" "METRICS_TOKEN" "S3_ACCESS_KEY" "S3_SECRET_KEY" | concat .Values.secrets.also) }}
- {{ . }}
- {{ . }}_FILE
{{- end }}
{{- range (list "NAMESPACE" "INSTANCE" "EXECUTOR_IMAGE" "SERVICE_ACCOUNT" "IMAGE_PULL_POLICY" "IMAGE_PULL_SECRETS" "CPU" "MEMORY_MB" "MAX_CPU" "MAX_MEMORY_MB" "MAX_JOBS" "REQUESTS_PER_SECOND" "PENDING_SECONDS" "STOP_SECONDS" "KEEP_SECONDS" "NODE_SELECTOR" "TOLERATIONS" "PRIORITY_CLASS" "RUNTIME_CLASS" "FILES_CLAIM") }}
- KUBERNETES_{{ . }}
{{- end }}
{{- end }}

{{/* The secret options of the Secret, apart from the addresses of servers, which may be in others. */}}
{{- define "mindloom.secretOptions" -}}
- SECRET_KEY
- KEY_RING
{{- if .Values.metrics.enabled }}
- METRICS_TOKEN
{{- end }}
{{- if and (eq .Values.files.kind "s3") .Values.files.s3.keys }}
- S3_ACCESS_KEY
- S3_SECRET_KEY
{{- end }}
{{- range .Values.secrets.also }}
- {{ . }}
{{- end }}
{{- end }}

{{/* A value as text: whole numbers without an exponent, which Helm's own would have from a million on. */}}
{{- define "mindloom.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}{{- int64 . -}}{{- else -}}{{- toString . -}}{{- end -}}
{{- end }}

{{/* The environment of a part. Takes (dict "root" $ "colour" "blue"). */}}
{{- define "mindloom.env" -}}
{{- $root := .root -}}
{{- $values := .root.Values -}}
{{- $name := include "mindloom.name" $root -}}
{{- $url := include "mindloom.url" $root -}}
{{- $hosts := concat (list (urlParse $url).hostname "localhost" "127.0.0.1" "$(POD_IP)" "[$(POD_IP)]" (printf "%s-web" $name)) (list (printf "%s-web-blue" $name) (printf "%s-web-green" $name)) $values.allowedHosts | uniq -}}
- name: POD_IP
  valueFrom: {fieldRef: {fieldPath: status.podIP}}
- name: MINDLOOM_URL
  value: {{ $url | quote }}
- name: ALLOWED_HOSTS
  value: {{ join "," $hosts | quote }}
- name: BEHIND_PROXY
  value: {{ hasPrefix "https://" $url | quote }}
- name: HTTPS_REDIRECT
  value: "false"
{{- range concat (list "DATABASE_URL" "REDIS_URL") (include "mindloom.secretOptions" $root | fromYamlArray) }}
- name: {{ . }}_FILE
  value: /run/secrets/mindloom/{{ . }}
{{- end }}
{{- if eq $values.files.kind "s3" }}
{{- range $option, $value := dict "S3_BUCKET" $values.files.s3.bucket "S3_ENDPOINT" $values.files.s3.endpoint "S3_REGION" $values.files.s3.region "S3_PREFIX" $values.files.s3.prefix }}
{{- if $value }}
- name: {{ $option }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- include "mindloom.executorEnv" . }}
{{- range $option, $value := $values.settings }}
- name: {{ $option }}
  value: {{ include "mindloom.text" $value | quote }}
{{- end }}
{{- end }}

{{- define "mindloom.executorEnv" -}}
{{- $root := .root -}}
{{- $executor := .root.Values.executor -}}
{{- if $executor.enabled }}
{{- $claim := "" -}}
{{- if eq $root.Values.files.kind "claim" -}}
{{- $claim = coalesce $executor.filesClaim (include "mindloom.claimName" $root) -}}
{{- end -}}
{{- $selector := list -}}
{{- range $key, $value := $executor.nodeSelector -}}
{{- $selector = append $selector (printf "%s=%s" $key $value) -}}
{{- end -}}
{{- $options := dict
  "NAMESPACE" $executor.namespace
  "INSTANCE" $root.Release.Name
  "EXECUTOR_IMAGE" (coalesce $executor.image (include "mindloom.image" .))
  "SERVICE_ACCOUNT" (printf "%s-run" (include "mindloom.name" $root))
  "IMAGE_PULL_POLICY" $root.Values.image.pullPolicy
  "IMAGE_PULL_SECRETS" (join "," $root.Values.image.pullSecrets)
  "CPU" $executor.cpu
  "MEMORY_MB" $executor.memoryMb
  "MAX_CPU" $executor.maxCpu
  "MAX_MEMORY_MB" $executor.maxMemoryMb
  "MAX_JOBS" $executor.maxJobs
  "REQUESTS_PER_SECOND" $executor.requestsPerSecond
  "PENDING_SECONDS" $executor.pendingSeconds
  "STOP_SECONDS" $executor.stopSeconds
  "KEEP_SECONDS" $executor.keepSeconds
  "NODE_SELECTOR" (join "," $selector)
  "TOLERATIONS" (ternary "" (toJson $executor.tolerations) (empty $executor.tolerations))
  "PRIORITY_CLASS" $executor.priorityClassName
  "RUNTIME_CLASS" $executor.runtimeClassName
  "FILES_CLAIM" $claim }}
- name: RUN_EXECUTOR
  value: {{ $executor.default }}
{{- if not $executor.namespace }}
- name: KUBERNETES_NAMESPACE
  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
{{- end }}
{{- range $option, $value := $options }}
{{- if ne (include "mindloom.text" $value) "" }}
- name: KUBERNETES_{{ $option }}
  value: {{ include "mindloom.text" $value | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Secrets as files, from one or several Secrets. Takes (dict "root" $). */}}
{{- define "mindloom.secretVolume" -}}
{{- $root := .root -}}
{{- $own := include "mindloom.secretName" $root -}}
name: secrets
projected:
  defaultMode: 0440
  sources:
    - secret:
        name: {{ $own }}
        items:
          {{- range include "mindloom.secretOptions" $root | fromYamlArray }}
          - {key: {{ . }}, path: {{ . }}}
          {{- end }}
    {{- range $option, $server := dict "DATABASE_URL" $root.Values.database "REDIS_URL" $root.Values.redis }}
    {{- $elsewhere := and (eq $server.kind "external") $server.secretName }}
    - secret:
        name: {{ $elsewhere | default $own }}
        items:
          - {key: {{ ternary $server.secretKey $option (not (empty $elsewhere)) }}, path: {{ $option }}}
    {{- end }}
{{- end }}
