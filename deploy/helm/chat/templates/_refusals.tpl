{{/* Refuses values that the schema cannot judge. */}}
{{- define "chat.refusals" -}}
{{- range list "HOST" "GRPC_PORT" "HTTP_PORT" "GATEWAY" "ROLES" "MIGRATE_ON_START" "ADMIN_HOST" "ADMIN_PORT" }}
{{- if hasKey $.Values.settings . }}{{ fail (printf "settings.%s: the chart sets it itself" .) }}{{ end }}
{{- end }}
{{- range list "POSTGRES_DSN" "ADMIN_TOKEN" }}
{{- if hasKey $.Values.settings . }}{{ fail (printf "settings.%s: it is secret, so it belongs into the secret that secretName names" .) }}{{ end }}
{{- end }}
{{- with .Values.nodes.autoscaling }}
{{- if gt (int .minReplicas) (int .maxReplicas) }}
{{- fail (printf "nodes.autoscaling.minReplicas: %d is more than maxReplicas, %d" (int .minReplicas) (int .maxReplicas)) }}
{{- end }}
{{- end }}
{{- if and .Values.metrics.serviceMonitor.enabled (not .Values.metrics.enabled) }}
{{- fail "metrics.serviceMonitor.enabled: it needs metrics.enabled" }}
{{- end }}
{{- end }}
