# SPDX-License-Identifier: Apache-2.0
#
# Part of tests/bench/run, sourced by it: JSON records through transforms, beside bare librdkafka
# that only moves the bytes, and beside Apache's standalone worker with the same connectors. Apache's
# worker is started once and lives through all rounds; what it does in the first, which does not count,
# it does twice: its compiler is not done after one pass.

json=org.apache.kafka.connect.json.JsonConverter
smt=org.apache.kafka.connect.transforms

# Lines of 200 bytes, one JSON document each; with "schema" in envelopes.
documents() { # count [schema]
  awk -v count="$1" -v envelope="${2:-}" 'BEGIN {
    s = "{\"type\":\"string\",\"optional\":false,\"field\":"
    schema = "{\"type\":\"struct\",\"fields\":[{\"type\":\"int64\",\"optional\":false,\"field\":\"id\"}," s "\"name\"}," \
      "{\"type\":\"struct\",\"fields\":[" s "\"street\"}," s "\"city\"},{\"type\":\"int32\",\"optional\":false,\"field\":\"floor\"}]," \
      "\"optional\":false,\"field\":\"address\"},{\"type\":\"double\",\"optional\":false,\"field\":\"score\"}," \
      "{\"type\":\"boolean\",\"optional\":false,\"field\":\"ok\"},{\"type\":\"array\",\"items\":{\"type\":\"string\"," \
      "\"optional\":false},\"optional\":false,\"field\":\"tags\"},{\"type\":\"int64\",\"optional\":false," \
      "\"name\":\"org.apache.kafka.connect.data.Timestamp\",\"version\":1,\"field\":\"ts\"},{\"type\":\"string\"," \
      "\"optional\":true,\"field\":\"note\"}],\"optional\":false,\"name\":\"rec\"}"
    for (i = 0; i < count; i++) {
      payload = sprintf("{\"id\":%d,\"name\":\"some name\",\"address\":{\"street\":\"x\",\"city\":\"y\",\"floor\":3},\"score\":1.5," \
        "\"ok\":true,\"tags\":[\"a\",\"b\",\"c\"],\"ts\":1700%09d,\"note\":\"a longer text that fills it up to 200 bytes .....\"}",
        1000000 + i, i * 13)
      print envelope ? "{\"schema\":" schema ",\"payload\":" payload "}" : payload
    } }'
}

# A connector's properties, for either worker.
connector() { # kind case name; $out, $scratch/lines
  local i=transforms.i r=transforms.r t=transforms.t h=transforms.h
  printf '%s\n' "name=$3" tasks.max=1 "value.converter=$json" \
    "value.converter.schemas.enable=$([ "$2" = json-schema ] && echo true || echo false)" \
    "$i.type=$smt.InsertField\$Value" $i.static.field=source $i.static.value=bench
  if [ "$1" = sink ]; then
    printf '%s\n' connector.class=org.apache.kafka.connect.file.FileStreamSinkConnector "topics=$2" "file=$out" transforms=i,r,t \
      "$r.type=$smt.ReplaceField\$Value" $r.exclude=note $r.renames=name:title \
      "$t.type=$smt.TimestampConverter\$Value" $t.field=ts $t.target.type=string "$t.format=yyyy-MM-dd'T'HH:mm:ss.SSS"
  else
    printf '%s\n' connector.class=org.apache.kafka.connect.file.FileStreamSourceConnector "topic=$3" "file=$scratch/lines" \
      transforms=h,i "$h.type=$smt.HoistField\$Value" $h.field=line
  fi
}

start_apache() {
  worker_file apache
  sed -i /^connect.lua/d "$scratch/apache.conf"
  apache_port=$rest_port
  tests/kafka/broker connect "$scratch/apache.conf" >"$scratch/apache.log" 2>&1 & apache_pid=$!
  until_ms "Apache's worker" curl -sf -o "$scratch/root" "http://127.0.0.1:$apache_port/" >/dev/null
}

# Runs it once, who as connector $name until $until; prints what bench_watch does.
measure() { # who kind case
  case $1 in
    raw)
      if [ "$2" = sink ]; then
        "$watch" "${until[@]}" -- "$raw" sink "$3" "$out" bootstrap.servers="$servers" group.id="$name" "${consumer[@]}"
      else
        "$watch" "${until[@]}" -- "$raw" source "$name" "$scratch/lines" bootstrap.servers="$servers" "${producer[@]}"
      fi
      ;;
    connect-lua)
      worker_file worker
      rm -f "$scratch/worker.offsets"
      "$watch" "${until[@]}" -- "$connect_lua" --worker "$scratch/worker.conf" "$scratch/c.properties"
      ;;
    Apache)
      jq -Rn '[inputs | capture("^(?<key>[^=]+)=(?<value>.*)$")] | from_entries | {name, config: .}' \
        "$scratch/c.properties" >"$scratch/c.json"
      "$watch" of $apache_pid "${until[@]}" -- /usr/bin/env curl -sSf -o "$scratch/created" \
        -H 'Content-Type: application/json' --data-binary "@$scratch/c.json" "http://127.0.0.1:$apache_port/connectors" &&
        curl -sSf -X DELETE "http://127.0.0.1:$apache_port/connectors/$name"
      ;;
  esac
}

# A sink until $out holds all bytes, a source until its topic holds all records.
chain_once() { # round kind case count who [mark of the name]
  local name=${6:-}$3-$5-$1 until=(file "$out" "$bytes")
  rm -f "$out"
  if [ "$2" = source ]; then
    create "$name"
    until=(topic "$servers" "$name" "$4")
  elif [ "$5" = raw ]; then
    until=(file "$out" "$(stat -c %s "$scratch/lines")")
  fi
  connector "$2" "$3" "$name" >"$scratch/c.properties"
  measure "$5" "$2" "$3" >"$scratch/measured" || die "$name did not get there"
  record "$1" "$3" "$5" "$4" <"$scratch/measured"
  if [ "$2" = source ]; then drop "$name"; fi
}

# What one record becomes: both workers must make as many bytes of all.
probe() { # case; sets bytes_per_line
  create probe
  head -n 1 "$scratch/lines" >"$scratch/line"
  "$raw" source probe "$scratch/line" bootstrap.servers="$servers" || exit 1
  rm -f "$out"
  worker_file worker
  connector sink "$1" "probe-$1" | sed "s/^topics=.*/topics=probe/" >"$scratch/c.properties"
  "$connect_lua" --worker "$scratch/worker.conf" "$scratch/c.properties" 2>>"$scratch/worker.err" & worker_pid=$!
  until_ms "a line of $1" test -s "$out" >/dev/null
  kill $worker_pid && wait $worker_pid
  worker_pid=
  bytes_per_line=$(stat -c %s "$out")
  drop probe
}

# The members of the first lines' objects, sorted: without a schema their order is free.
members() { head -n 100 "$1" | awk -F '[{},] *' '{ for (i = 1; i <= NF; i++) print NR, $i }' | sort; }

chain_case() { # kind case count
  local round who order=(raw connect-lua Apache)
  if [ "$1" = sink ]; then
    create "$2"
    "$raw" source "$2" "$scratch/lines" bootstrap.servers="$servers" "${producer[@]}" || exit 1
    probe "$2"
    bytes=$(($3 * bytes_per_line))
  fi
  for ((round = 0; round <= rounds; round++)); do
    [ $round = 0 ] && chain_once 0 "$1" "$2" "$3" Apache warm-
    for who in "${order[@]}"; do
      chain_once $round "$1" "$2" "$3" "$who"
      [ "$1" = sink ] && [ $round = 0 ] && members "$out" >"$scratch/members.$who"
    done
    order=("${order[@]:1}" "${order[0]}") # who goes first changes
  done
  [ "$1" = sink ] || return
  cmp -s "$scratch/members.connect-lua" "$scratch/members.Apache" || die "$2: the workers' files differ"
  drop "$2"
}

transforms() {
  local out=$scratch/out bytes=0 bytes_per_line
  start_apache
  documents 1000000 >"$scratch/lines"
  chain_case sink json 1000000
  documents 300000 schema >"$scratch/lines"
  chain_case sink json-schema 300000
  "$raw" lines "$scratch/lines" 1000000 100 || exit 1
  chain_case source hoist-100 1000000
  kill $apache_pid && wait $apache_pid
  apache_pid=
  "$connect_lua" test -o TAP tests/bench/transform_bench.lua >"$scratch/in-process" 2>&1 ||
    { cat "$scratch/in-process" >&2; die "transform_bench.lua failed"; }
}
