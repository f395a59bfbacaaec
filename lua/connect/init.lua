-- SPDX-License-Identifier: Apache-2.0
-- The plugin API: what `require "connect"` gives.

local errors = require "connect.errors"
local host = require "connect.host.c"
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
  array = function(t) return setmetatable(t, host.array_mt) end,
  --- for position, key, value in connect.fields(view) do
  fields = view.fields,
  --- A value as plain Lua tables, which outlive its batch.
  copy = view.copy,
  --- Java's text of a value: null, {a=1}, [1, 2].
  text = view.text,

  file = require "connect.file",
  json = require "connect.json",
  log = require "connect.log",
  time = require "connect.time",
}
