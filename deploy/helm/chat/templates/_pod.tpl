{{/* What the pods of all components have in common. Takes root and component. */}}
{{- define "chat.podTemplateMetadata" -}}
labels:
  {{- include "chat.selectorLabels" . | nindent 2 }}
annotations:
  checksum/settings: {{ include (print .root.Template.BasePath "/settings.yaml") .root | sha256sum }}
  {{- with .root.Values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- define "chat.podSpec" -}}
automountServiceAccountToken: false
enableServiceLinks: false
# Longer than the pause before SIGTERM, DRAIN_TIMEOUT_MS and a few seconds for closing.
terminationGracePeriodSeconds: {{ div (add 999 (int (.root.Values.settings.DRAIN_TIMEOUT_MS | default 10000))) 1000 | add 20 }}
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  seccompProfile: { type: RuntimeDefault }
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.extraVolumes }}
volumes:
  {{- toYaml . | nindent 2 }}
{{- end }}
initContainers:
  - name: migrate
    command: [node, cmd/migrate/main.ts]
    {{- include "chat.container" .root | nindent 4 }}
    resources:
      {{- toYaml .root.Values.migration.resources | nindent 6 }}
{{- end }}

{{/* What all containers have in common. */}}
{{- define "chat.container" -}}
image: {{ include "chat.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
envFrom:
  - configMapRef: { name: {{ include "chat.fullname" . }}-settings }
  - secretRef: { name: {{ .Values.secretName }} }
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- with .Values.extraVolumeMounts }}
volumeMounts:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Takes root, component and the key of the topology. */}}
{{- define "chat.spread" -}}
- maxSkew: 1
  topologyKey: {{ .key }}
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels:
      {{- include "chat.selectorLabels" . | nindent 6 }}
{{- end }}

{{/* A deployment of pods that no client talks to. Takes root, component, program, role and the component's values. */}}
{{- define "chat.worker" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "chat.fullname" .root }}-{{ .component }}
  labels:
    {{- include "chat.labels" .root | nindent 4 }}
spec:
  replicas: {{ .values.replicas }}
  strategy:
    type: RollingUpdate
    rollingUpdate: { maxUnavailable: 0, maxSurge: 1 }
  selector:
    matchLabels:
      {{- include "chat.selectorLabels" . | nindent 6 }}
  template:
    metadata:
      {{- include "chat.podTemplateMetadata" . | nindent 6 }}
    spec:
      {{- include "chat.podSpec" . | nindent 6 }}
      topologySpreadConstraints:
        {{- include "chat.spread" (dict "root" .root "component" .component "key" "kubernetes.io/hostname") | nindent 8 }}
      containers:
        - name: {{ .component }}
          command: [node, cmd/{{ .program }}/main.ts]
          {{- include "chat.container" .root | nindent 10 }}
          env:
            - name: ROLES
              value: {{ .role }}
          ports:
            - { name: grpc, containerPort: 50051 }
            {{- if .root.Values.metrics.enabled }}
            - { name: admin, containerPort: 9464 }
            {{- end }}
          startupProbe:
            grpc: { port: 50051 }
            periodSeconds: 1
            failureThreshold: 60
          readinessProbe:
            grpc: { port: 50051 }
            periodSeconds: 5
            timeoutSeconds: 2
          # That the port is open, and no more: to start the process again does not bring the database back.
          livenessProbe:
            tcpSocket: { port: grpc }
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          resources:
            {{- toYaml .values.resources | nindent 12 }}
{{- end }}
