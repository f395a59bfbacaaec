-- SPDX-License-Identifier: Apache-2.0
-- A plugin's own tests, which run whenever its file is read, before anybody uses it:
--
--   tests = {
--     ["mails end in lower case"] = function(t)
--       t.equal(lower { mail = "A@B.org" }, { mail = "a@b.org" })
--       t.ok(is_mail "a@b", "an address")
--       t.raises("no address", lower, { mail = 1 })
--     end,
--   }

local errors = require "connect.errors"
local host = require "connect.host.c"

local function show(x)
  if type(x) == "table" and getmetatable(x) == nil then
    local ok, text = pcall(host.json_encode, x)
    if ok then return text end
  end
  if type(x) == "string" then return ("%q"):format(x) end
  if type(x) == "table" or type(x) == "function" or type(x) == "userdata" then return "a " .. type(x) end
  return tostring(x)
end

local function same(a, b, depth)
  if rawequal(a, b) then return true end
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  if depth > 50 then return false end
  for k, v in next, a do
    if not same(v, rawget(b, k), depth + 1) then return false end
  end
  for k in next, b do
    if rawget(a, k) == nil then return false end
  end
  return true
end

local function fail(what, text, ...)
  error((what and what .. ": " or "") .. text:format(...), 3)
end

local t = {}

--- Plain values and tables of them are the same.
function t.equal(got, expected, what)
  if not same(got, expected, 0) then fail(what, "expected %s, got %s", show(expected), show(got)) end
end

function t.ok(x, what)
  if not x then fail(what, "expected something true, got %s", show(x)) end
end

--- fn(...) raises an error that holds text.
function t.raises(text, fn, ...)
  local ok, e = pcall(fn, ...)
  if ok then fail(nil, "expected an error with %s, there was none", show(text)) end
  local _, message = errors.parts(e)
  if not message:find(text, 1, true) then fail(nil, "expected an error with %s, got %s", show(text), show(message)) end
end

local function names_of(tests)
  local names = {}
  for name in next, tests do names[#names + 1] = name end
  table.sort(names)
  return names
end

--- Runs them in the order of their names; raises for the first that fails. They have the shape that
-- connect.host.manifest has checked.
return function(tests, file)
  if tests == nil then return end
  for _, name in ipairs(names_of(tests)) do
    local ok, e = pcall(rawget(tests, name), t)
    if not ok then
      local _, message = errors.parts(e)
      local where = message:match "^(.-:%d+): " and "" or file .. ": "
      error(("%s%s (test '%s')"):format(where, message, name), 0)
    end
  end
end
