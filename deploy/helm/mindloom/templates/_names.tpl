{{- define "mindloom.name" -}}
{{- $name := ternary .Release.Name (printf "%s-mindloom" .Release.Name) (contains "mindloom" .Release.Name) -}}
{{- $name | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{/* What selects pods: a part's, or with `colour` one colour of it. Takes (dict "root" $ "part" "web" "colour" "blue"). */}}
{{- define "mindloom.selector" -}}
app.kubernetes.io/name: mindloom
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- with .colour }}
mindloom/colour: {{ . }}
{{- end }}
{{- end }}

{{- define "mindloom.labels" -}}
{{ include "mindloom.selector" . }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{/* What Helm asks of things that it is to take over: hooks that later are none. */}}
{{- define "mindloom.owned" -}}
meta.helm.sh/release-name: {{ .Release.Name }}
meta.helm.sh/release-namespace: {{ .Release.Namespace }}
{{- end }}

{{/* A colour's image. Takes (dict "root" $ "colour" "blue"). */}}
{{- define "mindloom.image" -}}
{{- $own := (index .root.Values.colours .colour).tag -}}
{{- $tag := coalesce $own .root.Values.image.tag .root.Chart.AppVersion -}}
{{- printf "%s%s%s" .root.Values.image.repository (ternary "@" ":" (hasPrefix "sha256:" $tag)) $tag -}}
{{- end }}

{{- define "mindloom.newest" -}}
{{- coalesce .Values.colours.newest .Values.colours.active -}}
{{- end }}

{{- define "mindloom.url" -}}
{{- if .Values.url -}}
{{- .Values.url -}}
{{- else if and .Values.ingress.enabled .Values.ingress.host -}}
{{- printf "%s://%s" (ternary "https" "http" .Values.ingress.tls.enabled) .Values.ingress.host -}}
{{- else -}}
http://localhost:8000
{{- end -}}
{{- end }}

{{- define "mindloom.secretName" -}}
{{- if eq .Values.secrets.kind "existing" -}}
{{- .Values.secrets.existingName -}}
{{- else -}}
{{- printf "%s-secrets" (include "mindloom.name" .) -}}
{{- end -}}
{{- end }}

{{- define "mindloom.claimName" -}}
{{- coalesce .Values.files.claim.existingName (printf "%s-files" (include "mindloom.name" .)) -}}
{{- end }}

{{- define "mindloom.runNamespace" -}}
{{- coalesce .Values.executor.namespace .Release.Namespace -}}
{{- end }}

{{/* Whether all that migrations need is there before anything of the release is: then they can come first. */}}
{{- define "mindloom.hasAllBefore" -}}
{{- if and (eq .Values.secrets.kind "existing") (eq .Values.database.kind "external") (eq .Values.redis.kind "external") -}}true{{- end -}}
{{- end }}

{{/* What values.schema.json cannot say. */}}
{{- define "mindloom.refuse" -}}
{{- $colours := .Values.colours -}}
{{- range list $colours.active (include "mindloom.newest" .) -}}
{{- if not (index $colours .).enabled -}}
{{- fail (printf "colours.%s.enabled is false, but it is the active or the newest colour: enable it, or name the other one." .) -}}
{{- end -}}
{{- end -}}
{{- if and (eq .Values.secrets.kind "existing") (not .Values.secrets.existingName) -}}
{{- fail "secrets.kind is existing: name the Secret in secrets.existingName." -}}
{{- end -}}
{{- if and (eq .Values.secrets.kind "external") (not .Values.secrets.external.storeName) -}}
{{- fail "secrets.kind is external: name the store in secrets.external.storeName." -}}
{{- end -}}
{{- if eq .Values.secrets.kind "generated" -}}
{{- range $kind := list "database" "redis" -}}
{{- $where := index $.Values $kind -}}
{{- if and (eq $where.kind "external") (not $where.secretName) -}}
{{- fail (printf "%s.kind is external, and secrets are generated: name the Secret that has its address in %s.secretName." $kind $kind) -}}
{{- end -}}
{{- end -}}
{{- if or .Values.secrets.also (and (eq .Values.files.kind "s3") .Values.files.s3.keys) -}}
{{- fail "secrets.also and files.s3.keys name secrets that only you have, which cannot be generated: use secrets.kind existing or external." -}}
{{- end -}}
{{- end -}}
{{- if and (eq .Values.files.kind "s3") (not .Values.files.s3.bucket) -}}
{{- fail "files.kind is s3: name the bucket in files.s3.bucket." -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.host) -}}
{{- fail "ingress.enabled is true: say in ingress.host which name people type." -}}
{{- end -}}
{{- if and .Values.metrics.serviceMonitor.enabled (not .Values.metrics.enabled) -}}
{{- fail "metrics.serviceMonitor.enabled needs metrics.enabled." -}}
{{- end -}}
{{- if and (eq .Values.executor.default "kubernetes") (not .Values.executor.enabled) -}}
{{- fail "executor.default is kubernetes: set executor.enabled, too." -}}
{{- end -}}
{{- $elsewhere := ne (include "mindloom.runNamespace" .) .Release.Namespace -}}
{{- if and .Values.executor.enabled $elsewhere (eq .Values.files.kind "claim") (not .Values.executor.filesClaim) -}}
{{- fail "executor.namespace is another one, where pods cannot mount the release's claim: use files.kind s3, or name a claim there in executor.filesClaim." -}}
{{- end -}}
{{- $scaling := .Values.worker.autoscaling -}}
{{- if and $scaling.enabled (gt (int $scaling.minReplicas) (int $scaling.maxReplicas)) -}}
{{- fail "worker.autoscaling.minReplicas is more than maxReplicas." -}}
{{- end -}}
{{- if and $scaling.enabled (not .Values.metrics.enabled) -}}
{{- fail "worker.autoscaling goes by the metrics of web: set metrics.enabled, too." -}}
{{- end -}}
{{- if and $scaling.enabled (eq $scaling.by "keda") (not $scaling.prometheus) -}}
{{- fail "worker.autoscaling.by is keda: say in worker.autoscaling.prometheus where Prometheus is." -}}
{{- end -}}
{{- range $name, $_ := .Values.settings -}}
{{- if has $name (include "mindloom.ownOptions" $ | fromYamlArray) -}}
{{- fail (printf "settings.%s: the chart sets this option itself; use its value instead." $name) -}}
{{- end -}}
{{- end -}}
{{- end }}
