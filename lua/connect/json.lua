-- SPDX-License-Identifier: Apache-2.0
-- JSON text and Lua tables. null is connect.null; integers beyond 2^53 are int64; a list is marked as one, so that
-- an empty one stays a list (connect.array marks yours). Texts and tables may be nested 100 deep and hold a million
-- values.
--
--   json.encode(value), json.encode(value, { indent = 2 })    keys sorted, as tables have no order
--   json.decode(text)                                         nil and the reason when it is no JSON
--   json.pointer(doc, "/items/0/id")                          a part of it (RFC 6901); nil when there is none

local host = require "connect.host.c"
local view = require "connect.host.view"

local json = { null = host.null }

--- Text of a value or view. Raises for what JSON cannot hold: NaN, infinite numbers, functions, a table in itself,
-- text that is not UTF-8.
function json.encode(value, options)
  if options ~= nil and type(options) ~= "table" then error("options must be a table, not a " .. type(options), 2) end
  local indent = options and options.indent or 0
  if type(indent) ~= "number" or not (indent >= 0 and indent <= 31) then error("indent is a number up to 31", 2) end
  return host.json_encode(view.copy(value), options and { indent = indent })
end

--- The value of a text; nil and the reason when it is no JSON.
function json.decode(text)
  local ok, value = pcall(host.json_decode, text)
  if ok then return value end
  return nil, tostring(value)
end

-- A position in a list as Lua counts, nil when the token is none.
local function index_of(token)
  return (token == "0" or token:find "^[1-9]%d*$") and #token < 10 and tonumber(token) + 1 or nil
end

local function is_list(doc) return getmetatable(doc) == host.array_mt or rawget(doc, 1) ~= nil end

--- What the pointer says of doc, tables as decode gives them: "" is all of it, "/a/0" the first of the list a, ~1
-- stands for / and ~0 for ~ in names. Raises when the text is no pointer.
function json.pointer(doc, pointer)
  if type(pointer) ~= "string" then error("a JSON pointer is a string, not a " .. type(pointer), 2) end
  if pointer ~= "" and pointer:sub(1, 1) ~= "/" then error("a JSON pointer begins with /", 2) end
  if pointer:find "~[^01]" or pointer:find "~$" then error("in a JSON pointer ~ is written ~0", 2) end
  for token in pointer:gmatch "/([^/]*)" do
    if type(doc) ~= "table" then return nil end
    token = token:gsub("~1", "/"):gsub("~0", "~")
    if is_list(doc) then
      local i = index_of(token)
      doc = i and rawget(doc, i)
    else
      doc = rawget(doc, token)
    end
    if doc == nil then return nil end
  end
  return doc
end

return json
