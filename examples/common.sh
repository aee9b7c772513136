# What the demonstrations of the examples share: sourced by examples/*/run.sh, which sets `again` (how to start it anew).
# shellcheck shell=bash

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

# Reads the arguments: sets `build`, and `once` where it was asked for or nobody watches.
build=''
once=''
read_arguments()
{
    local argument

    for argument in "$@"; do
        case $argument in
        --once) once=yes ;;
        -*) fail "there is no option '$argument'" "$0 BUILD [--once]" ;;
        *) build=$argument ;;
        esac
    done
    [ -n "$build" ] || fail "which build?" "$0 BUILD [--once]"
    [ -t 1 ] || once=yes
    build=$(cd -- "$build" && pwd) || fail "there is no folder $build"
    weft=$build/src/app/weft
}

# want_programs PROGRAM...
want_programs()
{
    local program

    for program in "$@"; do
        [ -x "$program" ] || fail "$program is missing" "./dev build makes it"
    done
}

# want_free NAME PORT: NAME is the variable that chooses another one
want_free()
{
    if (exec 3<>"/dev/tcp/127.0.0.1/$2") 2>/dev/null; then
        fail "port $2 is taken: another program listens there" "stop it, or choose another one: $1=$(($2 + 1)) ${again:-$0}"
    fi
}

# --- the system, which ends with us: `folder`, its log and its process

folder=''
log=''
pid=''
beside=() # other processes in the background, which end first

finish()
{
    local status=$?

    trap - EXIT INT TERM
    [ ${#beside[@]} -eq 0 ] || kill -TERM "${beside[@]}" 2>/dev/null || true
    if [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; then
        step "stopping: accepted requests are finished first"
        kill -TERM "$pid" 2>/dev/null || true
    fi
    [ -z "$pid" ] || wait "$pid" || true
    [ -z "$folder" ] || rm -rf "$folder"
    exit "$status"
}

# start_system NAME FILE: `weft up` in the background, with what it keeps in a folder of its own
start_system()
{
    file=$2
    folder=${folder:-$(mktemp -d "${TMPDIR:-/tmp}/weft-$1.XXXXXX")}
    log=$folder/log
    trap finish EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    "$weft" up -f "$file" --dir "$folder" >"$log" 2>&1 </dev/null &
    pid=$!
}

want_running()
{
    kill -0 "$pid" 2>/dev/null && return
    cat "$log" >&2
    fail "the system ended: what it said stands above"
}

# endpoints: NAME STATE PID of each instance
endpoints()
{
    "$weft" get endpoints -f "$file" --dir "$folder" 2>/dev/null |
        awk 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } { print $at["NAME"], $at["STATE"], $at["PID"] }'
}

# pid_of INSTANCE, while it is ready
pid_of()
{
    endpoints | awk -v name="$1" '$1 == name && $2 == "ready" { print $3 }'
}

count_ready()
{
    endpoints | awk '$2 == "ready"' | wc -l
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

# Until Ctrl-C, or the system's end.
stay()
{
    local status=0

    note "log: $log"
    step "running until Ctrl-C"
    wait "$pid" || status=$?
    pid=''
    [ "$status" -eq 0 ] || fail "the system ended with status $status"
}
