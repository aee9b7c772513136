#!/usr/bin/env bash
# run.sh BUILD [--once]: starts the first example with the programs of a build directory, sends it requests, and shows
# what happens when an instance dies. Then it stays until Ctrl-C, or ends where --once is given or nobody watches.
# FIRST_PORT and FIRST_CONTROL choose other ports than 8080 and 7070.
set -euo pipefail

examples=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=examples/common.sh
. "$examples/common.sh"

read_arguments "$@"
file=$examples/first/weft.yaml
export GREETER=$build/examples/first/greeter
export FIRST_PORT=${FIRST_PORT:-8080} FIRST_CONTROL=${FIRST_CONTROL:-7070}
gateway=http://127.0.0.1:$FIRST_PORT
control=http://127.0.0.1:$FIRST_CONTROL

want_programs "$weft" "$GREETER"
command -v curl >/dev/null || fail "curl is missing" "apt-get install curl"
want_free FIRST_PORT "$FIRST_PORT"
want_free FIRST_CONTROL "$FIRST_CONTROL"

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
start_system first "$file"
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
stay
