-- SPDX-License-Identifier: Apache-2.0
-- A plugin's own tests, which run whenever its file is read, before anybody uses it:
--
--   tests = {
--     ["mails end in lower case"] = function(t)
--       t.equal(lower { mail = "A@B.org" }, { mail = "a@b.org" })
--       t.ok(is_mail "a@b", "an address")
--       t.raises("no address", lower, { mail = 1 })
--     end,
--     ["records keep their key"] = function(t)
--       t.equal(t.apply { key = "k", value = { mail = "A@B.org" } }.key, "k")
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

local checks = {}

--- Plain values and tables of them are the same.
function checks.equal(got, expected, what)
  if not same(got, expected, 0) then fail(what, "expected %s, got %s", show(expected), show(got)) end
end

function checks.ok(x, what)
  if not x then fail(what, "expected something true, got %s", show(x)) end
end

--- fn(...) raises an error that holds text.
function checks.raises(text, fn, ...)
  local ok, e = pcall(fn, ...)
  if ok then fail(nil, "expected an error with %s, there was none", show(text)) end
  local _, message = errors.parts(e)
  if not message:find(text, 1, true) then fail(nil, "expected an error with %s, got %s", show(text), show(message)) end
end

-- Needed by tests that call it alone: it loads the task's half of the host.
local function kit() return require "connect.testkit" end

-- What a test of this plugin gets, and the tasks it opened.
local function offer(module)
  local t, tasks = {}, {}
  for name, fn in pairs(checks) do t[name] = fn end

  --- What the transform makes of a record { topic, key, value, headers = { { name, value } } }: the same as plain
  -- tables, nil when it is dropped.
  function t.apply(record, config, side) return kit().apply(module, record, { config = config, side = side }) end

  --- Whether the predicate holds for such a record.
  function t.test(record, config) return kit().test(module, record, { config = config }) end

  --- What the converter reads in bytes, and the bytes it makes of a value.
  function t.decode(bytes, config) return kit().decode(module, bytes, { config = config }) end
  function t.encode(x, config) return kit().encode(module, x, { config = config }) end

  --- A task of the connector without Kafka: connect.testkit's, which the end of the test closes.
  function t.task(options)
    local given = { plugin = module }
    for name, x in pairs(options or {}) do given[name] = x end
    local task = kit().task(given)
    tasks[#tasks + 1] = task
    return task
  end

  return t, tasks
end

local function names_of(tests)
  local names = {}
  for name in next, tests do names[#names + 1] = name end
  table.sort(names)
  return names
end

-- Tasks are closed whether or not the test passed.
local function run_one(test, module)
  local t, tasks = offer(module)
  local ok, e = pcall(test, t)
  for i = #tasks, 1, -1 do
    local closed, why = pcall(tasks[i].close, tasks[i])
    if ok and not closed then ok, e = false, why end
  end
  return ok, e
end

--- Runs them in the order of their names; raises for the first that fails. They have the shape that
-- connect.host.manifest has checked. module: the plugin that they are of.
return function(tests, file, module)
  if tests == nil then return end
  for _, name in ipairs(names_of(tests)) do
    local ok, e = run_one(rawget(tests, name), module)
    if not ok then
      local _, message = errors.parts(e)
      local where = message:match "^(.-:%d+): " and "" or file .. ": "
      error(("%s%s (test '%s')"):format(where, message, name), 0)
    end
  end
end
