{{/* Labels by which the broker's pods are found. */}}
{{- define "broker.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: broker
{{- end }}

{{/* Labels of the pods that migrate the tables: no Service and no policy of the broker finds them. */}}
{{- define "broker.migrationSelector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: migration
{{- end }}

{{/* Labels of everything. */}}
{{- define "broker.labels" -}}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: jupyterhub
{{- end }}

{{- define "broker.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "broker.publicUrl" -}}
{{ required "settings.JupyterOIDCBroker.public_url is needed: the address of the service in a browser, as https://hub.example.com/services/oidc/" .Values.settings.JupyterOIDCBroker.public_url }}
{{- end }}

{{/* The port is told once, in the settings. */}}
{{- define "broker.port" -}}
{{ regexFind "[0-9]+$" (trimSuffix "/" .Values.settings.JupyterOIDCBroker.listen) }}
{{- end }}

{{/* The path of the service is that of its address in a browser, and has to be where the Hub puts the service. */}}
{{- define "broker.prefix" -}}
{{- $prefix := printf "%s/" (trimSuffix "/" (urlParse (include "broker.publicUrl" .)).path) }}
{{- $atHub := printf "%sservices/%s/" .Values.hub.baseUrl .Values.hub.serviceName }}
{{- if ne $prefix $atHub }}
{{- fail (printf "settings.JupyterOIDCBroker.public_url ends with %s, and the Hub has the service at %s: see hub.baseUrl and hub.serviceName" $prefix $atHub) }}
{{- end }}
{{- $prefix }}
{{- end }}

{{/* Calls under way have drain_seconds to end; then accounts and the database are closed. */}}
{{- define "broker.graceSeconds" -}}
{{ add (ceil .Values.settings.JupyterOIDCBroker.drain_seconds | int) 45 }}
{{- end }}

{{/* The settings file: of the broker and of the migration, so that both mean the same database. */}}
{{- define "broker.settings" -}}
{{ .Values.settings | toPrettyJson }}
{{- end }}

{{- define "broker.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ int64 .Values.user }}
runAsGroup: {{ int64 .Values.group }}
# The files of Secrets belong to root; by this group the broker reads them.
fsGroup: {{ int64 .Values.group }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "broker.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/*
The settings are mounted as one file (subPath). The broker refuses a file that others could change, and a folder that
kubelet mounts can be written by everybody as far as its mode says (1777).
*/}}
{{- define "broker.mounts" -}}
- name: settings
  mountPath: /etc/jupyter-oidc/broker.json
  subPath: broker.json
  readOnly: true
{{- if not .isMigration }}
- name: key
  mountPath: /run/jupyter-oidc/key
  readOnly: true
{{- end }}
{{- if .Values.secrets.database.name }}
- name: database
  mountPath: /run/jupyter-oidc/database
  readOnly: true
{{- end }}
{{- if .Values.secrets.clients.name }}
- name: clients
  mountPath: /run/jupyter-oidc/clients
  readOnly: true
{{- end }}
- name: tmp
  mountPath: /tmp
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The volumes of a pod; that of a migration has settings of its own, and no storage key. */}}
{{- define "broker.volumes" -}}
- name: settings
  configMap:
    name: {{ .Values.fullname }}{{ if .isMigration }}-migration{{ end }}
    defaultMode: 0444
{{- if not .isMigration }}
- name: key
  secret:
    secretName: {{ .Values.secrets.storageKey.name }}
    defaultMode: 0440
    items:
      - key: {{ .Values.secrets.storageKey.key }}
        path: storage-key
{{- end }}
{{- if .Values.secrets.database.name }}
- name: database
  secret:
    secretName: {{ .Values.secrets.database.name }}
    defaultMode: 0440
    items:
      - key: {{ .Values.secrets.database.key }}
        path: address
{{- end }}
{{- if .Values.secrets.clients.name }}
- name: clients
  secret:
    secretName: {{ .Values.secrets.clients.name }}
    defaultMode: 0440
{{- end }}
- name: tmp
  emptyDir:
    medium: Memory
    sizeLimit: {{ .Values.tmpSize }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* What decides where a pod runs. */}}
{{- define "broker.scheduling" -}}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* What every pod of the broker has to reach: names and the database. */}}
{{- define "broker.egress" -}}
- ports:
    - port: 53
      protocol: UDP
    - port: 53
      protocol: TCP
  {{- with .Values.networkPolicy.dns }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
- ports:
    - port: {{ int .Values.networkPolicy.databasePort }}
      protocol: TCP
  {{- with .Values.networkPolicy.database }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
