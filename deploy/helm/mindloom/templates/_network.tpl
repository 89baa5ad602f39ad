{{/* A selector of several parts. Takes (dict "root" $ "parts" (list "web" "worker")). */}}
{{- define "mindloom.parts" -}}
matchLabels: {app.kubernetes.io/name: mindloom, app.kubernetes.io/instance: {{ .root.Release.Name }}}
matchExpressions:
  - {key: app.kubernetes.io/component, operator: In, values: {{ toJson .parts }}}
{{- end }}

{{- define "mindloom.ports" -}}
ports:
  {{- range . }}
  - {port: {{ . }}, protocol: TCP}
  {{- end }}
{{- end }}

{{/* One rule of egress from {cidrs, ports}: without networks to anywhere. */}}
{{- define "mindloom.to" -}}
- {{ include "mindloom.ports" .ports | nindent 2 | trim }}
  {{- with .cidrs }}
  to:
    {{- range . }}
    - ipBlock: {cidr: {{ . | quote }}}
    {{- end }}
  {{- end }}
{{- end }}

{{- define "mindloom.toNames" -}}
- to:
    - namespaceSelector: {matchLabels: {{ toJson .Values.networkPolicy.dns.namespaceLabels }}}
      podSelector: {matchLabels: {{ toJson .Values.networkPolicy.dns.podLabels }}}
  ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
{{- end }}

{{- define "mindloom.toServers" -}}
{{- $root := . -}}
{{- range $kind := list "postgresql" "redis" }}
{{- $values := ternary "database" "redis" (eq $kind "postgresql") }}
{{- if eq (index $root.Values $values).kind "bundled" }}
- ports: [{port: {{ $kind }}, protocol: TCP}]
  to:
    - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: {{ $root.Release.Namespace }}}}
      podSelector:
        matchLabels:
          {{- include "mindloom.selector" (dict "root" $root "part" $kind) | nindent 10 }}
{{- else }}
{{ include "mindloom.to" (index $root.Values.networkPolicy $values) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "mindloom.toOutside" -}}
{{- range .Values.networkPolicy.egress }}
- {{ include "mindloom.ports" .ports | nindent 2 | trim }}
  to:
    - ipBlock:
        cidr: {{ .cidr | quote }}
        {{- with .except }}
        except: {{ toJson . }}
        {{- end }}
{{- end }}
{{- end }}
