# shellcheck shell=bash
# What the commands of ./dev share. They source it with the root of the tree as the working directory.

export LC_ALL=C.UTF-8
export PYTHONDONTWRITEBYTECODE=1

# Debian's own python3 has Debian's pytest; another one that comes first in PATH has not.
export PYTHON=/usr/bin/python3
MESON=/usr/bin/meson
[ -x "$MESON" ] || MESON=meson

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
else
    bold='' red='' green='' plain=''
fi

# One line of progress.
step()
{
    printf '%s==>%s %s\n' "$bold" "$plain" "$*"
}

note()
{
    printf '    %s\n' "$*"
}

# fail WHAT [HINT]: what went wrong, and what to do about it.
fail()
{
    printf '%serror:%s %s\n' "$red" "$plain" "$1" >&2
    [ -z "${2:-}" ] || printf '       %s\n' "$2" >&2
    exit 1
}

usage_error()
{
    printf '%serror:%s %s\n' "$red" "$plain" "$1" >&2
    printf '       %s\n' "${2:-./dev help tells how}" >&2
    exit 2
}

# A whole number from 1, for options.
want_count()
{
    case ${2:-} in
    '' | *[!0-9]* | 0*) usage_error "$1 wants a whole number from 1 on, not '${2:-}'" ;;
    esac
}

# need GROUP...: installs what is missing of these package lists; silent when nothing is.
# With WEFT_NO_SETUP=1 (no Debian, or packages from elsewhere) nothing is looked at.
need()
{
    [ -n "${WEFT_NO_SETUP:-}" ] || tools/dev/setup --quiet "$@"
}

# The count line that ./dev test, ./dev fuzz and .ci/run end with: PASSED FAILED SKIPPED.
print_counts()
{
    local colour=$green skipped=''

    [ "$2" -eq 0 ] || colour=$red
    [ "$3" -eq 0 ] || skipped=", $3 skipped"
    printf '%s%d passed, %d failed%s%s\n' "$colour" "$1" "$2" "$skipped" "$plain"
}

# configure DIRECTORY OPTIONS...: meson setup, once; again from scratch when the options have changed.
configure()
{
    local directory=$1 stamp="$1/dev-options" log="$1.configure.log" wipe=()

    shift
    if [ -f "$directory/build.ninja" ] && [ "$(cat "$stamp" 2>/dev/null)" = "CC=${CC:-} $*" ]; then
        return
    fi
    [ ! -d "$directory/meson-private" ] || wipe=(--wipe)
    step "configuring $directory"
    mkdir -p "$(dirname "$directory")"
    if ! "$MESON" setup "${wipe[@]}" "$directory" . "$@" >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        fail "meson could not configure $directory" "the whole output is in $log"
    fi
    printf 'CC=%s %s\n' "${CC:-}" "$*" >"$stamp"
}

# configure_type TYPE: configures build/TYPE, one of debug, release, asan, tsan.
configure_type()
{
    local options=(-Dtests=true)

    case $1 in
    debug) options+=(--buildtype=debug) ;;
    # NDEBUG stays off (meson.build): assertions are a part of a release.
    release) options+=(--buildtype=debugoptimized -Db_lto=true) ;;
    asan) options+=(--buildtype=debug -Doptimization=1 '-Db_sanitize=address,undefined' -Db_lundef=false
        '-Dc_args=-fno-omit-frame-pointer -fno-sanitize-recover=all') ;;
    tsan) options+=(--buildtype=debug -Doptimization=1 -Db_sanitize=thread -Db_lundef=false
        -Dc_args=-fno-omit-frame-pointer) ;;
    *) usage_error "there is no build type '$1'" "debug, release, asan or tsan" ;;
    esac
    CC=gcc configure "build/$1" "${options[@]}"
}

# build_type TYPE [TARGET...]
build_type()
{
    local type=$1

    shift
    need build
    configure_type "$type"
    step "building build/$type"
    ninja -C "build/$type" "$@" || fail "build/$type does not build" "the compiler's words are above"
}

# The sanitizers end the process at the first finding, with a status that no test expects; running out of memory or
# asking for too much of it is no finding: tests do that on purpose.
sanitizer_environment()
{
    export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:strict_string_checks=1:allocator_may_return_null=1:abort_on_error=1}"
    export UBSAN_OPTIONS="${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1}"
    export TSAN_OPTIONS="${TSAN_OPTIONS:-halt_on_error=1:allocator_may_return_null=1:second_deadlock_stack=1}"
}

# TSan's shadow memory collides with strongly randomised mappings (vm.mmap_rnd_bits over 28): run without them
# where that is allowed. Prints the words to put before a command.
without_randomised_mappings()
{
    if setarch -R true 2>/dev/null; then
        printf 'setarch -R'
    fi
}
