-- SPDX-License-Identifier: Apache-2.0
-- Field paths as field.syntax.version has them: V1 is one name, V2 names parted by dots, where
-- backticks round a name keep its dots.

local errors = require "connect.errors"

local field_path = {}

-- Position of the backtick that closes a step which begins at `from` (behind its opening one): the
-- first that is followed by a dot or the end and not escaped.
local function closing(text, from)
  local at = from
  while true do
    at = text:find("`", at, true)
    if not at then return nil end
    local after = text:sub(at + 1, at + 1)
    if (after == "" or after == ".") and text:sub(at - 1, at - 1) ~= "\\" then return at end
    at = at + 1
  end
end

-- Inside backticks an escaped backtick before a dot loses its backslash.
local function unescaped(step) return (step:gsub("\\`%.", "`.")) end

-- Java counts UTF-16 units.
local function units(text)
  local _, continued = text:gsub("[\128-\191]", "")
  local _, pairs_of = text:gsub("[\240-\247]", "")
  return #text - continued + pairs_of
end

local function parse_v2(text)
  local steps, at = {}, 1
  if text == "" then return steps end
  while true do
    local stop
    if text:sub(at, at) == "`" then
      stop = closing(text, at + 1)
      if not stop then
        errors.config("Incomplete backtick pair in path: [%s], consider adding a backslash before backtick at "
          .. "position %d to escape it", text, units(text:sub(1, at - 1)))
      end
      steps[#steps + 1] = unescaped(text:sub(at + 1, stop - 1))
      stop = stop + 1
    else
      stop = text:find(".", at, true) or #text + 1
      steps[#steps + 1] = text:sub(at, stop - 1)
    end
    if stop > #text then return steps end
    at = stop + 1
  end
end

--- The names of a path, in order.
function field_path.parse(text, version)
  if type(text) ~= "string" or type(version) ~= "string" then
    error("field_path.parse: a path and a version, both strings, expected", 2)
  end
  if version:upper() == "V1" then return { text } end
  return parse_v2(text)
end

return field_path
