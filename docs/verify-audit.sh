#!/usr/bin/env bash
# Verifies an Orrery audit branch with git, ssh-keygen, sha256sum and jq. It shares no code with Orrery.
#
#   verify-audit.sh REPO SIGNERS [REF]      REF defaults to the only refs/heads/audit/* there is
#
# Checked: every commit is signed by audit@<site> of SIGNERS and only adds records; checkpoint.sig of every commit and
# its count; per tenant: canonical lines, no gap in seq, the chain of prev, the order (timestamp, dagId, runId, recordId).
# Not checked: the Merkle root (the commit signature covers the same bytes), the record schema, step lists under steps/,
# key rotation, and whether the newest commits were cut off (compare the count with a checkpoint that you kept).
# Canonical means what `jq -cS` writes: equal to RFC 8785 as long as keys are ASCII and numbers are integers, which holds.
set -euo pipefail
export LC_ALL=C
repo=${1:?usage: verify-audit.sh REPO SIGNERS [REF]} signers=$(realpath -- "${2:?usage: verify-audit.sh REPO SIGNERS [REF]}")
for name in $(compgen -e GIT_ || true); do unset "$name"; done
git() { command git -C "$repo" -c gpg.ssh.allowedSignersFile="$signers" "$@"; }
ref=${3:-$(git for-each-ref --format='%(refname)' refs/heads/audit/)}
[ "$(wc -w <<<"$ref")" = 1 ] || { echo "give one REF of: ${ref:-no audit branch}" >&2; exit 4; }
site=${ref##*/} who=audit@${ref##*/} tmp=$(mktemp -d) found=0 commits=0 parent='' size=0
trap 'rm -rf "$tmp"' EXIT
report() { echo "$*"; found=$((found + 1)); }
lf=$'\n'

while read -r commit parents; do
  commits=$((commits + 1))
  verdict=$(git verify-commit "$commit" 2>&1) || verdict="not good: $verdict"
  case $verdict in
    "Good \"git\" signature for $who with "*) ;;
    *"No principal matched"* | Good*) report "SIGNER commit $commits $commit: not signed by $who" ;;
    *) report "SIGNATURE commit $commits $commit: ${verdict//"$lf"/, }" ;;
  esac
  [ "$parents" = "$parent" ] || report "FORKED commit $commits $commit: parents are '$parents', not '$parent'"
  while IFS=$'\t' read -r status path; do
    case $status:$path in
      A:records/*.ndjson) size=$((size + $(git cat-file blob "$commit:$path" | wc -l))) ;;
      A:steps/*.ndjson | [AM]:checkpoint | [AM]:checkpoint.sig | [AM]:keys/audit_signers | [AM]:keys/log.ndjson) ;;
      *) report "REWRITTEN commit $commits $commit: $status $path" ;;
    esac
  done < <(git diff-tree --root --no-commit-id --no-renames -r --name-status "$commit")
  git cat-file blob "$commit:checkpoint" >"$tmp/checkpoint" 2>/dev/null || : >"$tmp/checkpoint"
  git cat-file blob "$commit:checkpoint.sig" >"$tmp/checkpoint.sig" 2>/dev/null || : >"$tmp/checkpoint.sig"
  ssh-keygen -Y verify -f "$signers" -I "$who" -n orrery-checkpoint -s "$tmp/checkpoint.sig" <"$tmp/checkpoint" >/dev/null 2>&1 ||
    report "CHECKPOINT commit $commits: checkpoint.sig is not good"
  [ "$(sed -n '1p;2p' "$tmp/checkpoint")" = "orrery/$site$lf$size" ] ||
    report "CHECKPOINT commit $commits: $(sed -n 2p "$tmp/checkpoint") records by the checkpoint, $size in the segments"
  parent=$commit
done < <(git rev-list --reverse --first-parent --parents "$ref")

mkdir "$tmp/tree" && git archive "$ref" records | tar -x -C "$tmp/tree"
records=0
for dir in "$tmp"/tree/records/*/; do
  tenant=$(basename "$dir") lines="$tmp/lines" && rm -rf "$tmp/one" && mkdir "$tmp/one"
  find "$dir" -name '*.ndjson' | sort | xargs cat >"$lines"
  records=$((records + $(wc -l <"$lines")))
  jq -cS . "$lines" >"$tmp/canonical" 2>/dev/null || true
  cmp -s "$lines" "$tmp/canonical" || report "TAMPERED $tenant line $(cmp "$lines" "$tmp/canonical" 2>&1 | sed 's/.*line //'): not canonical JSON"
  awk -v d="$tmp/one/" '{ f = d sprintf("%012d", NR); printf "%s", $0 > f; close(f) }' "$lines"
  (cd "$tmp/one" && find . -type f | sort | xargs sha256sum | cut -c1-64) >"$tmp/hashes"
  jq -rR 'fromjson? // {} | [.seq // 0, .prev // "-", .timestamp // "", .dagId // "", .runId // "", .recordId // ""] | map(tostring) | @tsv' "$lines" >"$tmp/keys"
  paste "$tmp/hashes" "$tmp/keys" | awk -F '\t' -v tenant="$tenant" -v none="$(sha256sum </dev/null | cut -c1-64)" '
    { hash[NR] = $1; seq[NR] = $2; prev[NR] = $3; key[NR] = $4 FS $5 FS $6 FS $7; have[$2] = 1 }
    END { for (i = 1; i <= NR; i++) { want = i + gap
      if (seq[i] != want && seq[i] > want && !(want in have)) { print "GAP " tenant " " want ": missing"; gap += seq[i] - want }
      else if (seq[i] != want) print "ORDER " tenant " " seq[i] ": stands where " want " belongs"
      if (seq[i] == 1 && prev[i] != none) print "TAMPERED " tenant " 1: prev is not that of nothing"
      if (i > 1 && seq[i] == seq[i - 1] + 1) {
        if (prev[i] != hash[i - 1]) print "TAMPERED " tenant " " seq[i - 1] ": the next record has seen other bytes"
        if (key[i] <= key[i - 1]) print "ORDER " tenant " " seq[i] ": sorted before the one in front of it" } } }' >"$tmp/found"
  while read -r line; do report "$line"; done <"$tmp/found"
done
if [ "$found" = 0 ]; then echo "ok: $records records in $commits commits of $ref, head $parent"; else
  echo "NOT OK: $found findings, $records records in $commits commits of $ref" && exit 1; fi
