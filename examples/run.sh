#!/usr/bin/env bash
# run.sh BUILD [--once]: starts examples/first with the programs of a build directory, sends it requests, and shows what
# happens when an instance dies. Then it stays until Ctrl-C, or ends where --once is given or nobody watches. ./dev run
# calls it. FIRST_PORT and FIRST_CONTROL choose other ports than 8080 and 7070.
set -euo pipefail

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
else
    bold='' red='' green='' plain=''
fi

step()
{
    printf '%s==>%s %s\n' "$bold" "$plain" "$*"
}

note()
{
    printf '    %s\n' "$*"
}

# fail WHAT [HINT]
fail()
{
    printf '%serror:%s %s\n' "$red" "$plain" "$1" >&2
    [ -z "${2:-}" ] || printf '       %s\n' "$2" >&2
    exit 1
}

build=''
once=''
for argument in "$@"; do
    case $argument in
    --once) once=yes ;;
    -*) fail "there is no option '$argument'" "examples/run.sh BUILD [--once]" ;;
    *) build=$argument ;;
    esac
done
[ -n "$build" ] || fail "which build?" "examples/run.sh BUILD [--once], or simply ./dev run"
[ -t 1 ] || once=yes

examples=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
build=$(cd -- "$build" && pwd) || fail "there is no folder $build"
weft=$build/src/app/weft
file=$examples/first/weft.yaml
export GREETER=$build/examples/first/greeter
export FIRST_PORT=${FIRST_PORT:-8080} FIRST_CONTROL=${FIRST_CONTROL:-7070}
gateway=http://127.0.0.1:$FIRST_PORT
control=http://127.0.0.1:$FIRST_CONTROL

for program in "$weft" "$GREETER"; do
    [ -x "$program" ] || fail "$program is missing" "./dev build makes it"
done
command -v curl >/dev/null || fail "curl is missing" "apt-get install curl"

# want_free NAME PORT
want_free()
{
    if (exec 3<>"/dev/tcp/127.0.0.1/$2") 2>/dev/null; then
        fail "port $2 is taken: another program listens there" "stop it, or choose another one: $1=$(($2 + 1)) ./dev run"
    fi
}
want_free FIRST_PORT "$FIRST_PORT"
want_free FIRST_CONTROL "$FIRST_CONTROL"

# --- the system, which ends with us

folder=$(mktemp -d "${TMPDIR:-/tmp}/weft-first.XXXXXX")
log=$folder/log
pid=''

finish()
{
    local status=$?

    trap - EXIT INT TERM
    if [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; then
        step "stopping: accepted requests are finished first"
        kill -TERM "$pid" 2>/dev/null || true
    fi
    [ -z "$pid" ] || wait "$pid" || true
    rm -rf "$folder"
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

want_running()
{
    kill -0 "$pid" 2>/dev/null && return
    cat "$log" >&2
    fail "the system ended: what it said stands above"
}

# pid_of INSTANCE, while it is ready
pid_of()
{
    "$weft" get endpoints -f "$file" 2>/dev/null | awk -v name="$1" '$2 == name && $3 == "ready" { print $5 }'
}

count_ready()
{
    "$weft" get endpoints -f "$file" 2>/dev/null | awk '$3 == "ready"' | wc -l
}

# until_true SECONDS WHAT COMMAND...
until_true()
{
    local end=$((SECONDS + $1)) what=$2

    shift 2
    until "$@"; do
        want_running
        [ "$SECONDS" -lt "$end" ] || fail "waited in vain: $what" "see $(tail -n 1 "$log")"
        sleep 0.05
    done
}

all_ready()
{
    [ "$(count_ready)" -eq 3 ]
}

# --- requests

# ask COUNT [CURL OPTIONS...]: a line of JSON for each answer, and its status behind it
ask()
{
    local count=$1

    shift
    curl -s --max-time 10 -w '%{http_code}\n' "$@" "$gateway/hello/[1-$count]"
}

# Counts what ask() has printed: how often each instance has answered, and how many requests failed.
show()
{
    awk -v wanted="$1" -v green="$green" -v red="$red" -v plain="$plain" '
        match($0, /"instance":"[^"]*"/) { who[substr($0, RSTART + 12, RLENGTH - 13)]++ }
        $0 == "200" { fine++ }
        END {
            for (name in who) {
                bar = sprintf("%*s", int(who[name] * 40 / wanted + 0.5), "")
                gsub(/ /, "#", bar)
                printf "    %-12s%4d %s\n", name, who[name], bar | "sort"
            }
            close("sort")
            failed = wanted - fine
            printf "    %s%d answered, %d failed%s\n", failed ? red : green, fine, failed, plain
            exit failed ? 1 : 0
        }'
}

step "starting: weft up -f examples/first/weft.yaml"
"$weft" up -f "$file" >"$log" 2>&1 </dev/null &
pid=$!
until_true 20 "three instances are ready" all_ready
until_true 10 "the gateway answers" curl -sf -o "$folder/first" "$gateway/hello/you"
note "the gateway is $gateway, behind it are three instances of a service in C"
note "GET /hello/you answers $(cat "$folder/first")"

step "30 requests"
ask 30 | show 30 || fail "a request failed"

victim=greeter-1
old=$(pid_of "$victim")
[ -n "$old" ] || fail "$victim is not ready"
step "120 requests, and meanwhile: kill -9 $old, which is $victim"
ask 120 --rate 60/s >"$folder/answers" &
asking=$!
sleep 0.6
kill -9 "$old"
wait "$asking" || true
show 120 <"$folder/answers" || fail "a request failed"

came_back()
{
    local new

    new=$(pid_of "$victim")
    [ -n "$new" ] && [ "$new" != "$old" ]
}
until_true 20 "$victim comes back" came_back
note "$victim is back, as process $(pid_of "$victim"):"
grep -a "^weft: $victim: \(was killed\|starts again\|started\|ready\)" "$log" | tail -n 4 | sed 's/^/    /'

step "what to look at"
note "$gateway/              a page that asks and counts"
note "$control/metrics       figures, for Prometheus"
note "$control/v1/endpoints  what runs"
note "examples/first/README.md           what to try next"
[ -z "$once" ] || exit 0
note "log: $log"
step "running until Ctrl-C"
status=0
wait "$pid" || status=$?
pid=''
[ "$status" -eq 0 ] || fail "the system ended with status $status"
