#!/bin/sh
# One session at the desk, on a copy: vet, ask, approve, ask again, change the source, lapse, vet and sign again, withdraw.
# Usage, from the repository: sh evals/desk_session.sh [CURIO]   (CURIO is the command; by default .venv/bin/curio)
# The reviewer is a fixture; nothing outside a temporary folder is touched.
set -eu
curio=${1:-.venv/bin/curio}
case $curio in */*) curio=$(cd "$(dirname "$curio")" && pwd)/$(basename "$curio") ;; esac
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cp -r knowledge "$place/knowledge"
printf 'admit = ["vetted"]\n' > "$place/curio.toml"
cd "$place"
export XDG_RUNTIME_DIR="$place"
printf 'a fixture for tests only\n' > passphrase

step() { printf '\n$ curio %s\n' "$*"; }
run() { step "$@"; "$curio" "$@" || printf '(exit status %s)\n' "$?"; }
confirmed() { "$curio" "$@" 2>/dev/null < /dev/null | sed -n 's/.*confirm with --yes //p' | sed 's/^/--yes /' | tr '\n' ' '; }
field() { sed -n "s/^  \"$1\": \"\(.*\)\",*$/\1/p" | head -1; }

"$curio" ingest | tail -3
reviewer=$("$curio" reviewer add "Test Reviewer One" --role physician --register "Register of Test Fixtures" \
    --number 0000 --passphrase-file passphrase --json | field id)
run reviewer check "$reviewer" --by "Test Registrar" --on 2026-11-01
step reviewer unlock "$reviewer"
eval "$("$curio" reviewer unlock "$reviewer" --passphrase-file passphrase)"
export CURIO_REVIEWER="$reviewer"

run library vet car-t-what-it-is.md --review-due 2099-05-23 < /dev/null
# shellcheck disable=SC2046 # one option for each document
run library vet car-t-what-it-is.md --review-due 2099-05-23 \
    $(confirmed library vet car-t-what-it-is.md --review-due 2099-05-23)
"$curio" ask "What is CAR-T therapy?" --json > asked.json
answer=$(field id < asked.json) thread=$(field thread_id < asked.json)
run review list
run review take "$answer"
step review show "$answer"
"$curio" review show "$answer" | sed -n '1,16p;$p'
# shellcheck disable=SC2046
run review approve "$answer" $(confirmed review show "$answer")
# shellcheck disable=SC2046
run review comment "$answer" "Bring your questions on Monday." $(confirmed review show "$answer")
step ask "what is car-t therapy"
"$curio" ask "what is car-t therapy" | head -4
step thread show "$thread" --audience asker
"$curio" thread show "$thread" --audience asker | sed -n '1,12p'
step audit head
head=$("$curio" audit head)
echo "$head"

printf '\n(car-t-what-it-is.md is edited: a section is added)\n'
printf '\n## A note\n\nThis line was added later.\n' >> knowledge/car-t-what-it-is.md
"$curio" ingest > /dev/null
step thread show "$thread" --audience asker
"$curio" thread show "$thread" --audience asker | sed -n '6,14p'
run review list
# shellcheck disable=SC2046
run library vet car-t-what-it-is.md --review-due 2099-05-23 \
    $(confirmed library vet car-t-what-it-is.md --review-due 2099-05-23)
step review renew
"$curio" review renew | sed -n '1,4p;$p'
digest=$("$curio" review renew | sed -n "s/.*review renew $answer --yes //p")
run review renew "$answer" --yes "$digest"

run library withdraw car-t-what-it-is.md --by "Test Registrar" --reason "a test of the recall"
run review approve "$answer" --yes "$digest"
run review stats
run audit verify --head "$head"
run check
