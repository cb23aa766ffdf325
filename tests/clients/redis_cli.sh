#!/usr/bin/env bash
# What redis-cli and redis-benchmark get: exact answers in their output modes, --pipe, --scan, scripts over standard input, and a rate
# for each benchmark.
#
#     redis_cli.sh <port>
#
# Deletes the server's data. Ends with one line per tool, `<tool> <version>: <n> checks, <n> failed`, and with status 1 where one
# failed. The server may be a real redis-server: what is expected here is what that one answers.
set -uo pipefail

port="$1"
tool=redis-cli
count=0
failures=0
status=0

cli() { timeout 60 redis-cli -p "$port" "$@"; }

# equal <what> <expected> <actual>
equal() {
    count=$((count + 1))
    if [ "$2" != "$3" ]; then
        failures=$((failures + 1))
        printf '%s: %s: %.300s instead of %.300s\n' "$tool" "$1" "$(printf %q "$3")" "$(printf %q "$2")" >&2
    fi
}

summary() {
    echo "$tool $("$tool" --version | awk '{print $2}'): $count checks, $failures failed"
    [ "$failures" = 0 ] || status=1
    count=0
    failures=0
}

if [ "$(cli ping 2>/dev/null)" != PONG ]; then
    echo "nobody answers at port $port" >&2
    exit 1
fi
equal "flushall" OK "$(cli flushall)"
equal "set" OK "$(cli set greeting hello)"
equal "get" hello "$(cli get greeting)"
equal "get as a person sees it" '"hello"' "$(cli --no-raw get greeting)"
equal "nothing" '(nil)' "$(cli --no-raw get nothing)"
equal "nothing over RESP3" '(nil)' "$(cli -3 --no-raw get nothing)"
equal "a number" '(integer) 1' "$(cli --no-raw incr visits)"
equal "an error" "(error) ERR value is not an integer or out of range" "$(cli --no-raw incr greeting)"
cli -e incr greeting >/dev/null 2>&1
equal "an error's status with -e" 1 "$?"
equal "an array" $'1) "hello"\n2) (nil)\n3) "1"' "$(cli --no-raw mget greeting nothing visits)"
equal "a map over RESP2" $'1) "maxmemory-policy"\n2) "noeviction"' "$(cli --no-raw config get maxmemory-policy)"
equal "a map over RESP3" '1# "maxmemory-policy" => "noeviction"' "$(cli -3 --no-raw config get maxmemory-policy)"
equal "hello over RESP3" '3# "proto" => (integer) 3' "$(cli -3 --no-raw hello | sed -n 3p)"
equal "--csv" '"hello",NULL,"1"' "$(cli --csv mget greeting nothing visits)"
equal "--json" '["hello",null,"1"]' "$(cli --json mget greeting nothing visits)"
equal "--json of a map" '{"maxmemory-policy":"noeviction"}' "$(cli --json config get maxmemory-policy)"
equal "-n" OK "$(cli -n 3 set other 3)"
equal "the other database" 3 "$(cli -n 3 get other)"
equal "not in this one" "" "$(cli get other)"
equal "-r" $'2\n3\n4' "$(cli -r 3 incr visits)"
equal "setbit and bitcount" $'0\n1' "$(cli setbit bits 9 1; cli bitcount bits)"
equal "bitfield" $'1) (integer) 0\n2) (nil)' "$(cli --no-raw bitfield field overflow fail set u2 0 3 incrby u2 0 1)"
equal "rename and copy" $'OK\n1' "$(cli set from v >/dev/null; cli rename from to; cli copy to from)"
equal "object encoding" int "$(cli object encoding visits)"
equal "swapdb" $'OK\n3\nOK' "$(cli swapdb 3 4; cli -n 4 get other; cli swapdb 4 3)"
equal "dump and restore" $'OK\nv' "$(cli --quoted-input restore again 0 "$(cli --no-raw dump to)"; cli get again)"
equal "--quoted-input" $'a\tb' "$(cli --quoted-input set '"q\x09"' '"a\tb"' >/dev/null; cli --quoted-input get '"q\t"')"

equal "-x" OK "$(printf 'line one\nline \000two' | cli -x set stdin)"
equal "-x kept all bytes" 18 "$(cli strlen stdin)"
equal "-X" OK "$(printf 'tagged' | cli -X here set tag here ex 100)"
equal "-X replaced it" "tagged 100" "$(cli get tag) $(cli ttl tag)"
equal "four megabytes through -x" 4194304 "$(head -c 4194304 /dev/zero | cli -x set large >/dev/null; cli strlen large)"
equal "and back" "$(head -c 4194304 /dev/zero | cksum)" "$(cli get large | head -c 4194304 | cksum)"

equal "a script over standard input" $'OK\n2\n2' "$(printf 'set a 1\nincr a\nget a\n' | cli)"
equal "quotes in a script" "two words" "$(printf 'set b "two words"\nget b\n' | cli | tail -1)"
equal "a transaction" $'OK\nQUEUED\nQUEUED\nOK\n2' "$(printf 'multi\nset a 1\nincr a\nexec\n' | cli)"
equal "a discarded one" $'OK\nQUEUED\nOK\n2' "$(printf 'multi\nset a 9\ndiscard\nget a\n' | cli)"
equal "a refused one" "EXECABORT Transaction discarded because of previous errors." \
    "$(printf 'multi\nget\nset a 9\nexec\n' | cli 2>&1 | grep EXECABORT)"
# The shell changes the key between WATCH and EXEC of the other.
watched="$({ printf 'watch a\n'; sleep 0.5; cli set a 70 >/dev/null; printf 'multi\nset a 9\nexec\n'; } | cli --no-raw)"
equal "a conflict" $'OK\nOK\nQUEUED\n(nil)' "$watched"
equal "the other's write stays" 70 "$(cli get a)"

protocol() {
    local number
    for number in $(seq 1 2000); do
        printf '*3\r\n$3\r\nSET\r\n$%d\r\npipe:%d\r\n$4\r\n\r\n\0x\r\n' $((5 + ${#number})) "$number"
    done
}
equal "--pipe" "errors: 0, replies: 2000" "$(protocol | cli --pipe | tail -1)"
equal "a value out of --pipe" $'"\\r\\n\\x00x"' "$(cli --no-raw get pipe:2000)"
equal "--pipe of inline commands" "errors: 1, replies: 3" \
    "$(printf 'SET inline 1\r\nINCR inline\r\nINCR greeting\r\n' | cli --pipe 2>/dev/null | tail -1)"
equal "and they were done" 2 "$(cli get inline)"
equal "--scan" "$(seq -f 'pipe:%.0f' 1 2000 | sort)" "$(cli --scan --pattern 'pipe:*' | sort)"
equal "--scan --quoted-pattern" "pipe:77" "$(cli --scan --quoted-pattern '"pip\x65:77"')"
equal "--bigkeys" "string" "$(cli --bigkeys | awk '/^Biggest string found/ {print $2}')"

raw() {
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    printf '%b' "$1" >&3
    timeout 10 cat <&3 | tr '\r' '.'
    exec 3>&-
}
equal "inline commands on a bare connection" $'+PONG.\n$5.\nhello.\n:71.\n+OK.' \
    "$(raw 'ping\r\n  get   greeting \nincr a\r\n\r\nquit\r\n')"
equal "what is no protocol" "-ERR Protocol error: invalid multibulk length." "$(raw '*x\r\n')"

equal "info" "role:master" "$(cli info replication | tr -d '\r' | grep '^role:')"
equal "wait" 0 "$(cli wait 0 100)"
equal "client setname" smoke "$(printf 'client setname smoke\nclient getname\n' | cli | tail -1)"
equal "client list names the command" "cmd=client|list" "$(cli client list | grep -o 'cmd=client|list')"
equal "command docs" "1# \"get\" =>" "$(cli -3 --no-raw command docs get | head -1 | sed 's/ *$//')"
summary

tool=redis-benchmark
tests=ping,set,get,incr,mset
names=(PING_INLINE PING_MBULK SET GET INCR "MSET (10 keys)")
csv="$(timeout 300 redis-benchmark -p "$port" -t "$tests" -n 20000 -c 20 -P 16 --csv 2>&1)"
equal "--csv ends well" 0 "$?"
equal "--csv has its heads" '"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"' \
    "$(head -1 <<<"$csv")"
quiet="$(timeout 300 redis-benchmark -p "$port" -t "$tests" -n 20000 -c 20 -P 16 -q 2>&1 | tr '\r' '\n')"
equal "-q ends well" 0 "$?"
for name in "${names[@]}"; do
    rate="$(awk -F'","' -v name="\"$name" '$1 == name {print ($2 > 0)}' <<<"$csv")"
    equal "--csv has a rate for $name" 1 "$rate"
    rate="$(grep -cE "^${name//[()]/.}: [0-9.]+ requests per second" <<<"$quiet")"
    equal "-q has a rate for $name" 1 "$rate"
done
equal "increments of 20000 twice" 40000 "$(cli get counter:__rand_int__)"
equal "random keys" 0 "$(timeout 300 redis-benchmark -p "$port" -t set,get -n 20000 -P 16 -r 1000 -d 100 -q >/dev/null 2>&1; echo "$?")"
equal "a value of 100 bytes" 100 "$(cli strlen "$(cli --scan --pattern 'key:0*' | head -1)")"
equal "a command of one's own" 0 "$(timeout 300 redis-benchmark -p "$port" -n 1000 -q incrby mine 2 >/dev/null 2>&1; echo "$?")"
equal "has been done" 2000 "$(cli get mine)"
equal "over RESP3" 0 "$(timeout 300 redis-benchmark -p "$port" -3 -t get -n 1000 -q >/dev/null 2>&1; echo "$?")"
summary
exit "$status"
