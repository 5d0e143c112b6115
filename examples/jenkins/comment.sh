#!/usr/bin/env bash
# Comments on an issue in Jira as the person who started the build: comment.sh SAND-1 "Build 7 is green."
# Environment: APP_URL, SITE, ACCESS_JWT (of that person, for Jenkins), SERVICE_KEY (if Jenkins has one).
set -euo pipefail

: "${APP_URL:?}" "${SITE:?}" "${ACCESS_JWT:?}"
issue=${1:?Which issue?} text=${2:?What is to be said?}

# It becomes part of a path: nothing but a key may get there.
if [[ ! $issue =~ ^[A-Z][A-Z0-9_]+-[1-9][0-9]*$ ]]; then
  echo "\"$issue\" is not the key of an issue." >&2
  exit 64
fi

# Everybody on the machine can read command lines (ps). So curl gets the secrets through a pipe, from printf,
# which is part of the shell and not a program of its own; and programs don't inherit them.
export -n ACCESS_JWT SERVICE_KEY
secrets() {
  printf 'Authorization: Bearer %s\n' "$ACCESS_JWT"
  if [[ -n ${SERVICE_KEY:-} ]]; then printf 'X-Service-Key: %s\n' "$SERVICE_KEY"; fi
}

# A text in a paragraph in a document.
document='[{type: "text", text: .}] | [{type: "paragraph", content: .}] | {type: "doc", version: 1, content: .}'

answer=$(mktemp) headers=$(mktemp)
trap 'rm -f "$answer" "$headers"' EXIT
status=$(printf %s "$text" | jq --raw-input --slurp "{body: ($document)}" | curl \
  --silent --show-error --max-time 30 \
  --header @<(secrets) --header 'Content-Type: application/json' --data-binary @- \
  --output "$answer" --dump-header "$headers" --write-out '%{http_code}' \
  "$APP_URL/api/v1/sites/$SITE/jira/rest/api/3/issue/$issue/comment") || true
# It finds the app's own log line of this call.
grep --ignore-case '^X-Request-Reference:' "$headers" | tr -d '\r' || true
# Nothing else is a comment: a redirect to a sign-in page isn't a failure to curl.
if [[ $status == 201 ]]; then
  echo "Commented on $issue."
else
  echo "The answer was $status instead of 201." >&2
  # The app's refusals say what is wrong and where the person can put it right. With this mark it is Jira's
  # own answer, which has messages: nothing else in it is the app's word.
  reasons='.title, .detail, .linkUrl, .consentUrl | values'
  if grep --quiet --ignore-case '^X-Gateway-Upstream:' "$headers"; then reasons='.errorMessages[]?'; fi
  jq --raw-output "$reasons" "$answer" >&2 || cat "$answer" >&2
  exit 1
fi
