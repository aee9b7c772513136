#!/usr/bin/env bash
# run.sh BUILD [--once]: opens the shop with the programs of a build directory, orders in it while an instance of each
# service is killed, and checks the books. Then orders flow until Ctrl-C; it ends instead where --once is given or nobody
# watches. ./dev run calls it. SHOP_PORT and SHOP_CONTROL choose other ports than 8080 and 7070.
set -euo pipefail

examples=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=examples/common.sh
. "$examples/common.sh"

again=${SHOP_AGAIN:-$0}
read_arguments "$@"
shop=$examples/shop
file=$shop/weft.yaml
export SHOP_BIN=$build/examples/shop SHOP_PORT=${SHOP_PORT:-8080} SHOP_CONTROL=${SHOP_CONTROL:-7070}
gateway=http://127.0.0.1:$SHOP_PORT
control=http://127.0.0.1:$SHOP_CONTROL

want_programs "$weft" "$SHOP_BIN"/{inventory,orders,storefront,shop-audit}
command -v curl >/dev/null || fail "curl is missing" "apt-get install curl"
command -v python3 >/dev/null || fail "python3 is missing" "apt-get install python3"
want_free SHOP_PORT "$SHOP_PORT"
want_free SHOP_CONTROL "$SHOP_CONTROL"

all_ready()
{
    [ "$(count_ready)" -eq 6 ]
}

milliseconds()
{
    local now=${EPOCHREALTIME/[.,]/}

    echo $((now / 1000))
}

folder=$(mktemp -d "${TMPDIR:-/tmp}/weft-shop.XXXXXX")
export SHOP_DATA=$folder/data
mkdir "$SHOP_DATA"

step "opening: weft up -f examples/shop/weft.yaml"
began=$(milliseconds)
start_system shop "$file"
until_true 20 "the shop answers" curl -sf -o "$folder/products" "$gateway/api/products"
note "three services, two instances each; the first page after $(($(milliseconds) - began)) ms"
until_true 20 "six instances are ready" all_ready

step "300 orders, and meanwhile: kill -9 of an instance of each service"
python3 "$shop/order.py" --orders 300 --clients 4 --rate 100 "$gateway" &
ordering=$!
beside+=("$ordering")
for victim in inventory-0 orders-1 storefront-0; do
    sleep 0.7
    process=$(pid_of "$victim")
    [ -n "$process" ] || fail "$victim is not ready"
    kill -9 "$process"
    note "killed $victim, process $process"
done
wait "$ordering" || fail "an order got no answer"
beside=()
until_true 20 "six instances are ready again" all_ready

step "the books: shop-audit"
"$SHOP_BIN/shop-audit" "$SHOP_DATA" | sed 's/^/    /' || fail "the books don't balance"

step "what to look at"
note "$gateway/    the shop: put something into the cart, and order it"
note "$control/    the dashboard: what flows where, and how it is doing"
note "weft top -f examples/shop/weft.yaml --dir $folder"
note "examples/shop/README.md    what to try next"
[ -z "$once" ] || exit 0
step "orders flow: five a second"
python3 "$shop/order.py" --clients 2 --rate 5 --deliver "$gateway" &
beside+=($!)
stay
