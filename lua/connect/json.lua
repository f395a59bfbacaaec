-- SPDX-License-Identifier: Apache-2.0
-- JSON text and Lua tables. null is connect.null; integers beyond 2^53 are int64.

local host = require "connect.host.c"
local view = require "connect.host.view"

local json = { null = host.null }

--- Text of a value or view; keys sorted. Raises for what JSON cannot hold.
function json.encode(value) return host.json_encode(view.copy(value)) end

--- The value of a text; nil and the reason when it is no JSON.
function json.decode(text)
  local ok, value = pcall(host.json_decode, text)
  if ok then return value end
  return nil, tostring(value)
end

return json
