-- SPDX-License-Identifier: Apache-2.0
-- The plugin API: what `require "connect"` gives.

local errors = require "connect.errors"
local host = require "connect.host.c"
local lazy = require "connect.host.lazy"
local schema = require "connect.schema"
local struct = require "connect.struct"
local typed = require "connect.host.typed"
local view = require "connect.host.view"
local write = require "connect.host.write"

return {
  version = host.version,

  -- Raised on purpose; see connect.errors.
  retriable = errors.retriable,
  data_error = errors.data_error,
  fatal = errors.fatal,

  --- JSON's null: absent fields read as nil, null ones as connect.null.
  null = host.null,
  --- Marks a table as a list, which matters when it is empty.
  array = function(t)
    if type(t) ~= "table" then error("connect.array: a table expected, not a " .. type(t), 2) end
    return setmetatable(t, host.array_mt)
  end,
  --- for position, key, value in connect.fields(view) do
  fields = view.fields,
  --- A value as plain Lua tables, which outlive its batch.
  copy = view.copy,
  --- A new struct: connect.struct(schema, { field = value }); see connect.schema.
  struct = struct.new,
  --- A field with its schema (a struct's has it then): connect.put(record.value, "at", ms, "timestamp").
  put = write.put,
  --- A field exactly as another one is, schema and all: connect.put_field(to, "name", from, "field"); false =
  -- there is no such field to copy.
  put_field = write.put_field,
  --- record.value (or "key") = x with a schema: connect.set(record, "value", x, "int32").
  set = struct.set,
  --- Values whose type matters where there is no schema: int64 is the default of whole numbers there.
  int8 = typed.int8, int16 = typed.int16, int32 = typed.int32, int64 = typed.int64,
  float32 = typed.float32, float64 = typed.float64,
  date = typed.date, time_of_day = typed.time, timestamp = typed.timestamp,
  --- decimal "12.50", decimal(1250, 2): tostring(d), d.digits ("1250"), d.scale (2).
  decimal = typed.decimal,
  --- A Lua string as bytes.
  bytes = typed.bytes,
  --- Java's text of a value: null, {a=1}, [1, 2].
  text = view.text,

  crypto = lazy("connect.crypto", "md5 sha1 sha256 sha384 sha512 hmac random equal base64 from_base64 base64url "
    .. "from_base64url hex from_hex sign verify jwt"),
  file = require "connect.file",
  headers = require "connect.headers",
  http = lazy("connect.http", "request client get head post put patch delete"),
  json = require "connect.json",
  log = require "connect.log",
  metrics = require "connect.metrics",
  schema = schema,
  time = require "connect.time",
}
