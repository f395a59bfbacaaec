-- SPDX-License-Identifier: Apache-2.0
-- The plugin API: what `require "connect"` gives.

local errors = require "connect.errors"
local host = require "connect.host.c"
local schema = require "connect.schema"
local struct = require "connect.struct"
local value = require "connect.host.value"
local view = require "connect.host.view"

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
  --- record.value (or "key") = x with a schema: connect.set(record, "value", x, "int32").
  set = struct.set,
  --- Numbers whose type matters where there is no schema: int64 is the default of whole ones.
  int8 = value.typed.int8, int16 = value.typed.int16, int32 = value.typed.int32, int64 = value.typed.int64,
  float32 = value.typed.float32, float64 = value.typed.float64,
  date = value.typed.date, time_of_day = value.typed.time, timestamp = value.typed.timestamp,
  --- Java's text of a value: null, {a=1}, [1, 2].
  text = view.text,

  file = require "connect.file",
  headers = require "connect.headers",
  json = require "connect.json",
  log = require "connect.log",
  schema = schema,
  time = require "connect.time",
}
